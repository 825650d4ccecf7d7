/**
 * Masks as the reference reads them (method.md 2, step 2): brought to 8-bit grey, and whatever is above 0 then is
 * anomalous. The engine does that while it resizes a mask to the model's input (resizeMask), so whoever has one leaves masks
 * as they are; grey values are for what works without an engine, and for masks that are put together.
 */
import sharp from 'sharp';
import type { NativePicture } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { decodeMask } from '../images/decode.js';
import { toPictureSource } from '../images/picture-input.js';
import { defaultOf } from '../options/table.js';
import { turnMask } from './turn-mask.js';

/** 8-bit grey, [height, width]; above 0 is anomalous. */
export interface GreyMask extends NativePicture {
  data: Uint8Array;
  mode: 'L';
}

export interface MaskOptions {
  maxPixels?: number;
  /** default true; false: pictures as stored, as the reference opens them (compat.exif) */
  exif?: boolean;
  /** see DecodeOptions */
  reserve?: (bytes: number) => Promise<void>;
}

/** In grey. @throws CraneError E_INPUT_*, E_IMAGE_* */
export async function labelMask(path: string, options: MaskOptions = {}): Promise<GreyMask> {
  return toGrey(await readMask(path, options));
}

/**
 * The mask of a picture, in the picture's size; several are united. A mask that fits only the picture as it is stored is turned with it,
 * as the picture's EXIF orientation says.
 * @param picture the decoded picture's size, after its orientation where `exif` is on
 * @throws CraneError E_DATA_MASK_SIZE; E_INPUT_*, E_IMAGE_* of the mask
 */
export async function maskOfPicture(
  masks: readonly string[],
  picture: { path: string; width: number; height: number },
  options: MaskOptions = {},
): Promise<NativePicture> {
  const [first, ...further] = masks;
  if (first === undefined) throw new CraneError('E_INTERNAL', `${picture.path}: no mask is named`);
  const only = await oneMask(first, picture, options);
  if (further.length === 0) return only;
  const united = toGrey(only);
  for (const mask of further) {
    const { data } = toGrey(await oneMask(mask, picture, options));
    for (let pixel = 0; pixel < data.length; pixel++)
      if (data[pixel]! > united.data[pixel]!) united.data[pixel] = data[pixel]!;
  }
  return united;
}

async function oneMask(
  path: string,
  picture: { path: string; width: number; height: number },
  options: MaskOptions,
): Promise<NativePicture> {
  const mask = await readMask(path, options);
  if (mask.width === picture.width && mask.height === picture.height) return mask;
  if (options.exif !== false && mask.width === picture.height && mask.height === picture.width) {
    const { orientation = 1 } = await sharp(picture.path).metadata();
    if (orientation >= 5) {
      const grey = toGrey(mask);
      return { ...grey, ...turnMask(grey, orientation) };
    }
  }
  throw new CraneError(
    'E_DATA_MASK_SIZE',
    `${path}: ${mask.width} x ${mask.height} pixels, expected ${picture.width} x ${picture.height} as its picture has`,
    { hint: 'all of them: npx crane-native data check <root>' },
  );
}

function readMask(path: string, options: MaskOptions): Promise<NativePicture> {
  const { maxPixels = defaultOf('maxPixels'), exif = true, reserve } = options;
  return decodeMask(toPictureSource(path), { maxPixels, exif, ...(reserve ? { reserve } : {}) });
}

export function isEmptyMask({ data }: Pick<GreyMask, 'data'>): boolean {
  return data.every((value) => value === 0);
}

/** Pillow's conversion to L; palettes are expanded already, alpha does not count. */
export function toGrey({ data, width, height, mode }: NativePicture): GreyMask {
  if (mode === 'L') return { data: data as Uint8Array, width, height, mode: 'L' };
  const grey = new Uint8Array(width * height);
  const channels = data.length / grey.length;
  for (let pixel = 0, at = 0; pixel < grey.length; pixel++, at += channels) {
    grey[pixel] = channels < 3 ? data[at]! : luma(data[at]!, data[at + 1]!, data[at + 2]!);
  }
  return { data: grey, width, height, mode: 'L' };
}

function luma(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}
