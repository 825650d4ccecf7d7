/** Reads PNG, JPEG, WebP, GIF and the common TIFFs through sharp: no colour management, samples as the file has them. */
import sharp, { type Metadata, type Sharp } from 'sharp';
import { CraneError } from '../errors.js';
import type { OpenFile } from '../files/open-file.js';
import type { PictureFormat } from './format.js';
import { gifMode, pngMode } from './pillow-mode.js';
import { checkSize, type FileSource, type ReadLimits, tooLarge } from './read-limits.js';
import { channelsOf, eightBits, type Samples } from './samples.js';
import { readTiffFacts } from './tiff.js';

const k_colourSpaces = new Set(['b-w', 'srgb', 'grey16', 'rgb16', 'rgb']);

interface Facts {
  width: number;
  height: number;
  mode: Samples['mode'];
  isWide: boolean;
}

/** @throws CraneError E_IMAGE_* */
export async function readThroughSharp(
  source: FileSource,
  format: Exclude<PictureFormat, 'bmp'>,
  head: Uint8Array,
  file: OpenFile,
  limits: ReadLimits,
): Promise<Samples> {
  const facts = await readFacts(source, format, head, file, limits);
  const { width, height, mode, isWide } = facts;
  checkSize(source.name, width, height, limits.maxPixels);
  // Wide samples, and the 8 bits that they become.
  await limits.reserve?.(width * height * channelsOf[mode] * (isWide ? 3 : 1));
  // A TIFF's orientation is Pillow's to apply too.
  return readPixels(source, facts, limits, limits.exif || format === 'tiff');
}

async function readFacts(
  source: FileSource,
  format: PictureFormat,
  head: Uint8Array,
  file: OpenFile,
  limits: ReadLimits,
): Promise<Facts> {
  const { name } = source;
  const metadata = await coded(name, limits, () => openSharp(source, limits).metadata());
  const frames = format === 'png' ? pngFrames(head) : (metadata.pages ?? 1);
  if (frames > 1) {
    throw new CraneError('E_IMAGE_ANIMATED', `${name}: has ${frames} frames or pages, expected one`, {
      hint: 'save the wanted one as its own file',
    });
  }
  checkColour(name, metadata);
  const { width, height } = metadata;
  if (format === 'gif' && metadata.hasAlpha) {
    checkSize(name, width, height, limits.maxPixels);
    await refuseTransparentGif(source, limits);
  }
  const mode = await modeOf(format, metadata, head, file);
  return { width, height, mode, isWide: metadata.depth === 'ushort' };
}

async function modeOf(
  format: PictureFormat,
  metadata: Metadata,
  head: Uint8Array,
  file: OpenFile,
): Promise<Samples['mode']> {
  if (format === 'png') return pngMode(head) ?? 'RGB';
  if (format === 'gif') return gifMode(head);
  if (format === 'tiff') {
    // A TIFF's palette is applied while it is read; only its directory still tells.
    if (metadata.bitsPerSample === 1 || (await readTiffFacts(file.read)).photometric === 3) return 'P';
  }
  const isGrey = metadata.space === 'b-w' || metadata.space === 'grey16';
  if (isGrey && !metadata.hasAlpha) return 'L';
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
async function refuseTransparentGif(source: FileSource, limits: ReadLimits): Promise<void> {
  const { isOpaque } = await coded(source.name, limits, () => openSharp(source, limits).stats());
  if (!isOpaque) {
    throw new CraneError('E_IMAGE_COLOUR', `${source.name}: a GIF with transparent pixels`, {
      hint: 'save it as PNG',
    });
  }
}

async function readPixels(
  source: FileSource,
  { mode, isWide }: Facts,
  limits: ReadLimits,
  orient: boolean,
): Promise<Samples> {
  const opened = openSharp(source, limits);
  const upright = orient ? opened.autoOrient() : opened;
  const { data, info } = await coded(source.name, limits, () =>
    toMode(upright, mode, isWide).toBuffer({ resolveWithObject: true }),
  );
  const { width, height } = info;
  if (data.length !== width * height * channelsOf[mode] * (isWide ? 2 : 1)) {
    throw new CraneError('E_INTERNAL', `${source.name}: ${info.channels} channels decoded for mode ${mode}`);
  }
  return isWide
    ? { data: toWords(data), width, height, mode, stated: { kind: 'bits', bits: 16, from: 'container' } }
    : { data, width, height, mode, stated: eightBits };
}

function toMode(picture: Sharp, mode: Samples['mode'], isWide: boolean): Sharp {
  const isGrey = mode === 'L';
  const space = isWide ? (isGrey ? 'grey16' : 'rgb16') : isGrey ? 'b-w' : 'srgb';
  const colours = picture.toColourspace(space);
  const bands = isGrey || mode === 'RGBA' ? colours : colours.removeAlpha();
  // Plain raw() would silently give 8 bits.
  return isWide ? bands.raw({ depth: 'ushort' }) : bands.raw();
}

function toWords(bytes: Buffer): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(Uint8Array.from(bytes).buffer);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function openSharp(source: FileSource, { maxPixels }: ReadLimits): Sharp {
  return sharp(source.kind === 'file' ? source.path : source.bytes, {
    ignoreIcc: true,
    failOn: 'error',
    limitInputPixels: maxPixels,
    pages: 1,
  });
}

/** Frames that an animated PNG announces before its pixels (chunk acTL). */
function pngFrames(head: Uint8Array): number {
  const at = Buffer.from(head.buffer, head.byteOffset, head.byteLength).indexOf('acTL', 8, 'latin1');
  return at < 0 || at + 8 > head.length ? 1 : new DataView(head.buffer, head.byteOffset).getUint32(at + 4);
}

async function coded<T>(name: string, { maxPixels }: ReadLimits, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    if (/pixel limit|too large/i.test(message))
      throw tooLarge(name, 'more pixels than allowed', maxPixels, cause);
    throw new CraneError('E_IMAGE_DECODE', `${name}: damaged or not readable (${message})`, { cause });
  }
}
