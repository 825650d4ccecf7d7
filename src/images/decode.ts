/**
 * Decodes a picture to the pixels and the mode with which Pillow would have opened it (method.md 2): no colour
 * management, 16-bit grey kept, palette pictures marked, alpha kept for the resize.
 */
import sharp, { type Metadata, type Sharp } from 'sharp';
import type { NativePicture, PictureMode } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { type OpenFile, openPictureFile } from '../files/open-file.js';
import { decodeBmp, readBmpHeader } from './bmp.js';
import { headBytes, type PictureFormat, pictureKind, readTitles, unmarkedKind } from './format.js';
import type { PictureSource } from './picture-input.js';
import { gifMode, pngMode } from './pillow-mode.js';
import { readTiffFacts } from './tiff.js';

export interface DecodeOptions {
  /** more pixels are refused before decoding */
  maxPixels: number;
  /** apply the EXIF orientation */
  exif: boolean;
  /** called with the bytes of the decoded picture before they are taken; resolves when they may be */
  reserve?: (bytes: number) => Promise<void>;
}

const k_minSide = 8;
const k_bytesPerPixel: Record<PictureMode, number> = { L: 1, LA: 2, RGB: 3, RGBA: 4, P: 3, 'I;16': 2 };
const k_colourSpaces = new Set(['b-w', 'srgb', 'grey16', 'rgb16', 'rgb']);

/** @throws CraneError E_INPUT_*, E_IMAGE_* */
export async function decodePicture(source: PictureSource, options: DecodeOptions): Promise<NativePicture> {
  if (source.kind === 'pixels') {
    checkSize(source.name, source.picture.width, source.picture.height, options.maxPixels);
    await options.reserve?.(source.picture.data.byteLength);
    return source.picture;
  }
  const file = source.kind === 'file' ? await openPictureFile(source.path) : openBytes(source.bytes);
  try {
    return await decodeOpened(source, file, options);
  } finally {
    await file.close();
  }
}

async function decodeOpened(
  source: Exclude<PictureSource, { kind: 'pixels' }>,
  file: OpenFile,
  options: DecodeOptions,
): Promise<NativePicture> {
  const { name } = source;
  if (file.bytes === 0) throw new CraneError('E_IMAGE_EMPTY', `${name}: the file has zero bytes`);
  const head = await file.read(0, headBytes);
  const format = readFormatOf(name, head);
  if (format === 'bmp') return decodeBmpFile(name, file, options);

  const facts = await readFacts(source, format, head, file, options);
  checkSize(name, facts.width, facts.height, options.maxPixels);
  await options.reserve?.(facts.width * facts.height * k_bytesPerPixel[facts.mode]);
  return readPixels(source, facts, options, options.exif || format === 'tiff');
}

/** @throws CraneError E_IMAGE_FORMAT for a format that is recognised but not read, E_IMAGE_DECODE for anything else */
export function readFormatOf(name: string, head: Uint8Array): PictureFormat {
  const found = pictureKind(head);
  if (found.kind === 'read') return found.format;
  const meant = found.kind === 'known' ? found : unmarkedKind(name);
  if (meant.kind === 'known') {
    throw new CraneError('E_IMAGE_FORMAT', `${name}: a file of format ${meant.title}, which is not read`, {
      hint: meant.hint,
    });
  }
  throw new CraneError('E_IMAGE_DECODE', `${name}: not a picture of a kind that is read`, {
    hint: `read are ${readTitles.join(', ')}`,
  });
}

interface Facts {
  width: number;
  height: number;
  mode: PictureMode;
}

async function readFacts(
  source: Exclude<PictureSource, { kind: 'pixels' }>,
  format: PictureFormat,
  head: Uint8Array,
  file: OpenFile,
  options: DecodeOptions,
): Promise<Facts> {
  const { name } = source;
  const metadata = await coded(name, options, () => openSharp(source, options).metadata());
  const frames = format === 'png' ? pngFrames(head) : (metadata.pages ?? 1);
  if (frames > 1) {
    throw new CraneError('E_IMAGE_ANIMATED', `${name}: has ${frames} frames or pages, expected one`, {
      hint: 'save the wanted one as its own file',
    });
  }
  checkColour(name, metadata);
  const { width, height } = metadata;
  if (format === 'gif' && metadata.hasAlpha) {
    checkSize(name, width, height, options.maxPixels);
    await refuseTransparentGif(source, options);
  }
  return { width, height, mode: await modeOf(format, metadata, head, file) };
}

async function modeOf(
  format: PictureFormat,
  metadata: Metadata,
  head: Uint8Array,
  file: OpenFile,
): Promise<PictureMode> {
  if (format === 'png') return pngMode(head) ?? 'RGB';
  if (format === 'gif') return gifMode(head);
  if (format === 'tiff') {
    // A TIFF's palette is applied while it is read; only its directory still tells.
    if (metadata.bitsPerSample === 1 || (await readTiffFacts(file.read)).photometric === 3) return 'P';
  }
  const isGrey = metadata.space === 'b-w' || metadata.space === 'grey16';
  if (isGrey && !metadata.hasAlpha) return metadata.space === 'grey16' ? 'I;16' : 'L';
  return metadata.hasAlpha ? 'RGBA' : 'RGB';
}

function checkColour(name: string, { space, depth }: Metadata): void {
  if (space === 'cmyk') {
    throw new CraneError('E_IMAGE_COLOUR', `${name}: a CMYK picture, expected grey or RGB`, {
      hint: 'convert it to RGB first: how inks become colours depends on the profile',
    });
  }
  if (!k_colourSpaces.has(space) || (depth !== 'uchar' && depth !== 'ushort')) {
    throw new CraneError(
      'E_IMAGE_COLOUR',
      `${name}: colour space ${space} of type ${depth}, expected grey or RGB of 8 or 16 bits`,
    );
  }
}

/** A GIF's transparent pixels lose their palette colour while being read, so Pillow's result cannot be given. */
async function refuseTransparentGif(
  source: Exclude<PictureSource, { kind: 'pixels' }>,
  options: DecodeOptions,
): Promise<void> {
  const { isOpaque } = await coded(source.name, options, () => openSharp(source, options).stats());
  if (!isOpaque) {
    throw new CraneError('E_IMAGE_COLOUR', `${source.name}: a GIF with transparent pixels`, {
      hint: 'save it as PNG',
    });
  }
}

function checkSize(name: string, width: number, height: number, maxPixels: number): void {
  if (width * height > maxPixels) throw tooLarge(name, `${width} x ${height} pixels`, maxPixels);
  if (Math.min(width, height) < k_minSide) {
    throw new CraneError(
      'E_IMAGE_TOO_SMALL',
      `${name}: ${width} x ${height} pixels, expected at least ${k_minSide} a side`,
    );
  }
}

function tooLarge(name: string, found: string, maxPixels: number, cause?: unknown): CraneError {
  return new CraneError('E_IMAGE_TOO_LARGE', `${name}: ${found}, the limit is ${maxPixels} pixels`, {
    hint: 'raise it with --max-pixels (maxPixels) if the picture is to be trusted',
    cause,
  });
}

async function readPixels(
  source: Exclude<PictureSource, { kind: 'pixels' }>,
  { mode }: Facts,
  options: DecodeOptions,
  orient: boolean,
): Promise<NativePicture> {
  const opened = openSharp(source, options);
  const upright = orient ? opened.autoOrient() : opened;
  const { data, info } = await coded(source.name, options, () =>
    toMode(upright, mode).toBuffer({ resolveWithObject: true }),
  );
  const { width, height } = info;
  if (data.length !== width * height * k_bytesPerPixel[mode]) {
    throw new CraneError('E_INTERNAL', `${source.name}: ${info.channels} channels decoded for mode ${mode}`);
  }
  return { data: mode === 'I;16' ? toWords(data) : data, width, height, mode };
}

function toMode(picture: Sharp, mode: PictureMode): Sharp {
  if (mode === 'L') return picture.toColourspace('b-w').raw();
  // Plain raw() would silently give 8 bits.
  if (mode === 'I;16') return picture.toColourspace('grey16').raw({ depth: 'ushort' });
  const colours = picture.toColourspace('srgb');
  return mode === 'RGBA' ? colours.raw() : colours.removeAlpha().raw();
}

function toWords(bytes: Buffer): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(Uint8Array.from(bytes).buffer);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function openSharp(source: Exclude<PictureSource, { kind: 'pixels' }>, { maxPixels }: DecodeOptions): Sharp {
  return sharp(source.kind === 'file' ? source.path : source.bytes, {
    ignoreIcc: true,
    failOn: 'error',
    limitInputPixels: maxPixels,
    pages: 1,
  });
}

async function decodeBmpFile(name: string, file: OpenFile, options: DecodeOptions): Promise<NativePicture> {
  try {
    // Header, masks and the largest palette; a palette cut off by this is no fault of the file.
    const { width, height, mode } = readBmpHeader(await file.read(0, 14 + 124 + 16 + 1024));
    checkSize(name, width, height, options.maxPixels);
    await options.reserve?.(width * height * k_bytesPerPixel[mode] + file.bytes);
    return await decodeBmp(await file.read(0, file.bytes));
  } catch (thrown) {
    if (!(thrown instanceof CraneError) || thrown.message.startsWith(name)) throw thrown;
    throw new CraneError(thrown.code, `${name}: ${thrown.message}`, { hint: thrown.hint, cause: thrown });
  }
}

/** Frames that an animated PNG announces before its pixels (chunk acTL). */
function pngFrames(head: Uint8Array): number {
  const at = Buffer.from(head.buffer, head.byteOffset, head.byteLength).indexOf('acTL', 8, 'latin1');
  return at < 0 || at + 8 > head.length ? 1 : new DataView(head.buffer, head.byteOffset).getUint32(at + 4);
}

function openBytes(bytes: Uint8Array): OpenFile {
  return {
    bytes: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    close: async () => {},
  };
}

async function coded<T>(name: string, { maxPixels }: DecodeOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    if (/pixel limit|too large/i.test(message))
      throw tooLarge(name, 'more pixels than allowed', maxPixels, cause);
    throw new CraneError('E_IMAGE_DECODE', `${name}: damaged or not readable (${message})`, { cause });
  }
}
