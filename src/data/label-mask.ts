/**
 * Masks of any kind brought to one: what is above 0 in any colour is anomalous; where the colour is the same everywhere and
 * there is transparency, what is not fully transparent is; in a container that loses values the edge is half of the highest
 * one; the boolean array of a program that wrote it as it is, under a tag that turns it round, is read as it was. Where values were
 * named (mask-values.ts) those alone are. With `maskGrey` they stay as they are: the engine reads them as the reference does while it resizes them to the model's
 * input (resizeMask; method.md 2, step 2), above 0 after the conversion to 8-bit grey.
 */
import type { NativePicture } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { decodeMask } from '../images/decode.js';
import { inSlices } from '../images/in-slices.js';
import { isLossyFile } from '../images/lossy.js';
import { toPictureSource } from '../images/picture-input.js';
import type { PictureNote } from '../images/samples.js';
import { sharp } from '../images/sharp.js';
import { defaultOf } from '../options/table.js';
import type { NamedValues } from './mask-values.js';
import { orientationOf } from './picture-sizes.js';
import { type MaskPixels, plainMasks } from './plain-masks.js';
import { valuedMask } from './valued-mask.js';

/** 8-bit grey, [height, width]; above 0 is anomalous. */
export interface GreyMask extends NativePicture {
  data: Uint8Array;
  mode: 'L';
}

export interface MaskOptions {
  maxPixels?: number;
  /** default true; false: pictures as stored, as the reference opens them (compat.exif) */
  exif?: boolean;
  /** default false; true: as the reference reads masks (compat.maskGrey) */
  maskGrey?: boolean;
  /** see DecodeOptions */
  reserve?: (bytes: number) => Promise<void>;
  /** called for what has to be known about how a mask was read */
  onNote?: (note: PictureNote, path: string) => void;
  /** who works on the pixels; the loaded engine's addon where there is one. Default: this thread, in slices */
  pixels?: MaskPixels;
}

/** The masks of a picture, and which of their values count where that was said. */
export interface Masked {
  masks: readonly string[];
  maskValues?: NamedValues;
}

/** In grey. @param values which count; default: all above 0. @throws CraneError E_INPUT_*, E_IMAGE_*, E_DATA_MASK_VALUES */
export async function labelMask(
  path: string,
  options: MaskOptions = {},
  values?: NamedValues,
): Promise<GreyMask> {
  return toGrey(await readMask(path, options, values), options.pixels);
}

/**
 * The mask of a picture, in the picture's size; several are united. A mask that fits only the picture as it is stored is turned with it,
 * as the picture's EXIF orientation says.
 * @param picture the decoded picture's size, after its orientation where `exif` is on
 * @throws CraneError E_DATA_MASK_SIZE, E_DATA_MASK_VALUES; E_INPUT_*, E_IMAGE_* of the mask
 */
export async function maskOfPicture(
  { masks, maskValues }: Masked,
  picture: { path: string; width: number; height: number },
  options: MaskOptions = {},
): Promise<NativePicture> {
  const [first, ...further] = masks;
  if (first === undefined) throw new CraneError('E_INTERNAL', `${picture.path}: no mask is named`);
  const only = await oneMask(first, picture, options, maskValues);
  if (further.length === 0) return only;
  const { pixels = plainMasks } = options;
  const united = await toGrey(only, pixels);
  for (const mask of further) {
    const { data } = await toGrey(await oneMask(mask, picture, options, maskValues), pixels);
    await pixels.uniteMasks(united.data, data);
  }
  return united;
}

async function oneMask(
  path: string,
  picture: { path: string; width: number; height: number },
  options: MaskOptions,
  values: NamedValues | undefined,
): Promise<NativePicture> {
  const mask = await readMask(path, options, values);
  if (mask.width === picture.width && mask.height === picture.height) return mask;
  if (options.exif !== false && mask.width === picture.height && mask.height === picture.width) {
    const orientation = await orientationOf(picture.path);
    if (orientation >= 5) {
      const { pixels = plainMasks } = options;
      const grey = await toGrey(mask, pixels);
      const data = await pixels.turnMask(grey, orientation);
      return { data, width: mask.height, height: mask.width, mode: 'L' };
    }
  }
  throw new CraneError(
    'E_DATA_MASK_SIZE',
    `${path}: ${mask.width} x ${mask.height} pixels, expected ${picture.width} x ${picture.height} as its picture has`,
    { hint: 'all of them: npx crane-native data check ROOT' },
  );
}

async function readMask(
  path: string,
  options: MaskOptions,
  values: NamedValues | undefined,
): Promise<NativePicture> {
  const {
    maxPixels = defaultOf('maxPixels'),
    exif = true,
    maskGrey = false,
    reserve,
    onNote,
    pixels = plainMasks,
  } = options;
  const limits = { maxPixels, exif, ...(reserve ? { reserve } : {}) };
  if (values !== undefined) {
    if (maskGrey)
      throw new CraneError(
        'E_USAGE',
        'masks are read by named values, or as the reference reads them, not both',
        {
          hint: 'leave out --mask-values (maskValues) or --compat.mask-grey (compat.maskGrey)',
        },
      );
    const { data, width, height } = await valuedMask(path, values, limits);
    return { data, width, height, mode: 'L' };
  }
  const { isBooleanArray, ...decoded } = await decodeMask(toPictureSource(path), limits);
  if (maskGrey) return decoded;
  if (isBooleanArray) {
    decoded.data = await turnedRound(decoded);
    onNote?.({ kind: 'mask-turned', message: k_turned }, path);
  }
  const isLossy = await isLossyFile(path);
  // Grey that lost nothing is marks already.
  if (decoded.mode === 'L' && !isLossy) return decoded;
  const { width, height } = decoded;
  return { data: await pixels.markMask(decoded, isLossy), width, height, mode: 'L' };
}

const k_turned =
  'its mask is a boolean array of tifffile, whose tag turns it round: what was true in it counts as anomalous';

/** On the threads of the decoder library. */
async function turnedRound({ data, width, height }: NativePicture): Promise<Uint8Array> {
  const channels = data.length === width * height ? 1 : 3;
  const turned = sharp(data, { raw: { width, height, channels } }).negate({ alpha: false });
  return turned
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer();
}

/** How much of a picture is marked, from 0 (an empty mask) to 1. */
export async function markedShare({ data }: Pick<GreyMask, 'data'>): Promise<number> {
  let count = 0;
  await inSlices(data.length, (from, to) => {
    for (let pixel = from; pixel < to; pixel++) if (data[pixel]! > 0) count++;
  });
  return count / data.length;
}

/** Pillow's conversion to L; palettes are expanded already, alpha does not count. */
export async function toGrey(mask: NativePicture, pixels: MaskPixels = plainMasks): Promise<GreyMask> {
  const { data, width, height, mode } = mask;
  if (mode === 'L') return { data: data as Uint8Array, width, height, mode: 'L' };
  return { data: await pixels.greyMask(mask), width, height, mode: 'L' };
}
