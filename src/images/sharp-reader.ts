/** Reads PNG, JPEG, WebP, GIF and the usual TIFFs through sharp: no colour management, samples as the file has them. */

import { CraneError } from '../errors.js';
import type { OpenFile } from '../files/open-file.js';
import type { Size } from '../options/types.js';
import { profileNotes } from './colour-profile.js';
import { damageOf } from './damage.js';
import type { PictureFormat } from './format.js';
import { ownCopy } from './own-copy.js';
import type { PictureFile } from './picture-input.js';
import { gifMode, pngMode } from './pillow-mode.js';
import { mostPngChunks, pngFrames } from './png-chunks.js';
import { checkSize, type ReadLimits } from './read-limits.js';
import { channelsOf, eightBits, type Samples } from './samples.js';
import { type Metadata, type Sharp, sharp } from './sharp.js';
import { photometrics, type TiffForm } from './tiff/form.js';
import { droppedNotes } from './tiff/read.js';

const k_colourSpaces = new Set(['b-w', 'srgb', 'grey16', 'rgb16', 'rgb']);

/** A file that is open already: what is wrong with it, its own bytes tell. */
export type OpenedFile = PictureFile & { format: PictureFormat; file: OpenFile };

interface Facts {
  width: number;
  height: number;
  mode: Samples['mode'];
  isWide: boolean;
  /** of a TIFF with several */
  page?: number;
}

/** @throws CraneError E_IMAGE_* */
export async function readThroughSharp(
  source: OpenedFile,
  head: Uint8Array,
  limits: ReadLimits,
): Promise<Samples> {
  const { icc, ...facts } = await readFacts(source, head, limits);
  return { ...(await readPixels(source, facts, limits, limits.exif)), notes: profileNotes(icc) };
}

/** What Pillow opens as it is by the tags. @throws CraneError E_IMAGE_* */
export async function readTiffThroughSharp(
  source: OpenedFile,
  form: TiffForm,
  limits: ReadLimits,
): Promise<Samples> {
  const { page, width, height, bits, photometric, colours, alpha, stated } = form;
  const isPalette = photometric === photometrics.palette || bits === 1;
  const mode = isPalette ? 'P' : colours === 3 ? (alpha ? 'RGBA' : 'RGB') : alpha ? 'RGBA' : 'L';
  const facts: Facts = { width, height, mode, isWide: bits === 16 && !isPalette, page };
  // A TIFF's orientation is Pillow's to apply too.
  const samples = await readPixels(source, facts, limits, true);
  const { icc } = form.hasProfile
    ? await coded(source, () => openSharp(source, { maxPixels: false }).metadata())
    : {};
  const notes = [...droppedNotes(form), ...profileNotes(icc)];
  return { ...samples, stated: facts.isWide ? stated : eightBits, notes };
}

/** @throws CraneError E_IMAGE_DECODE */
export async function measureThroughSharp(source: OpenedFile, exif: boolean): Promise<Size> {
  const { width, height, autoOrient } = await coded(source, () =>
    sharp(inputOf(source), { limitInputPixels: false }).metadata(),
  );
  return exif ? { width: autoOrient.width, height: autoOrient.height } : { width, height };
}

async function readFacts(
  source: OpenedFile,
  head: Uint8Array,
  limits: ReadLimits,
): Promise<Facts & { icc?: Uint8Array }> {
  const { name, format } = source;
  // The limit is ours to check: the library would tell it by a text alone.
  const metadata = await coded(source, () => openSharp(source, { maxPixels: false }).metadata());
  checkSize(name, metadata.width, metadata.height, limits);
  const frames = await framesOf(source, metadata);
  if (frames > 1) {
    throw new CraneError('E_IMAGE_ANIMATED', `${name}: has ${frames} frames, expected one`, {
      hint: 'save the wanted one as its own file',
    });
  }
  checkColour(name, metadata);
  const { width, height, icc } = metadata;
  if (format === 'gif' && metadata.hasAlpha) {
    await refuseTransparentGif(source, limits);
  }
  const mode = modeOf(format, metadata, head);
  return { width, height, mode, isWide: metadata.depth === 'ushort', ...(icc ? { icc } : {}) };
}

function modeOf(format: PictureFormat, { space, hasAlpha }: Metadata, head: Uint8Array): Samples['mode'] {
  if (format === 'png') return pngMode(head) ?? 'RGB';
  if (format === 'gif') return gifMode(head);
  const isGrey = space === 'b-w' || space === 'grey16';
  if (isGrey && !hasAlpha) return 'L';
  return hasAlpha ? 'RGBA' : 'RGB';
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
async function refuseTransparentGif(source: OpenedFile, limits: ReadLimits): Promise<void> {
  const { isOpaque } = await coded(source, () => openSharp(source, limits).stats());
  if (!isOpaque) {
    throw new CraneError('E_IMAGE_COLOUR', `${source.name}: a GIF with transparent pixels`, {
      hint: 'save it as PNG',
    });
  }
}

async function readPixels(
  source: OpenedFile,
  { width, height, mode, isWide, page }: Facts,
  limits: ReadLimits,
  orient: boolean,
): Promise<Samples> {
  checkSize(source.name, width, height, limits);
  // Wide samples, their copy, and the 8 bits that they become.
  await limits.reserve?.(width * height * channelsOf[mode] * (isWide ? 5 : 1));
  const opened = openSharp(source, limits, page);
  const upright = orient ? opened.autoOrient() : opened;
  const { data, info } = await coded(source, () =>
    toMode(upright, mode, isWide).toBuffer({ resolveWithObject: true }),
  );
  const size = { width: info.width, height: info.height };
  if (data.length !== size.width * size.height * channelsOf[mode] * (isWide ? 2 : 1)) {
    throw new CraneError('E_INTERNAL', `${source.name}: ${info.channels} channels decoded for mode ${mode}`);
  }
  return isWide
    ? {
        data: await toWords(source.name, data),
        ...size,
        mode,
        stated: { kind: 'bits', bits: 16, from: 'container' },
      }
    : { data, ...size, mode, stated: eightBits };
}

function toMode(picture: Sharp, mode: Samples['mode'], isWide: boolean): Sharp {
  const isGrey = mode === 'L';
  const space = isWide ? (isGrey ? 'grey16' : 'rgb16') : isGrey ? 'b-w' : 'srgb';
  const colours = picture.toColourspace(space);
  const bands = mode === 'RGBA' ? colours : colours.removeAlpha();
  // Plain raw() would silently give 8 bits.
  return isWide ? bands.raw({ depth: 'ushort' }) : bands.raw();
}

/** In memory of JavaScript's own, which another thread can be given; the library's cannot. */
async function toWords(name: string, bytes: Buffer): Promise<Uint16Array> {
  const { length } = bytes;
  const { buffer } = await ownCopy(name, bytes, { row: length, rows: 1, stride: length });
  return new Uint16Array(buffer);
}

function openSharp(source: OpenedFile, { maxPixels }: { maxPixels: number | false }, page = 0): Sharp {
  return sharp(inputOf(source), {
    ignoreIcc: true,
    failOn: 'error',
    limitInputPixels: maxPixels,
    pages: 1,
    page,
  });
}

function inputOf(source: PictureFile): string | Uint8Array {
  return source.kind === 'file' ? source.path : source.bytes;
}

/** Of a PNG by its chunks: the library sees but its first picture. */
async function framesOf({ name, format, file }: OpenedFile, { pages }: Metadata): Promise<number> {
  if (format !== 'png') return pages ?? 1;
  const frames = await pngFrames(file);
  if (frames !== undefined) return frames;
  throw new CraneError('E_IMAGE_DECODE', `${name}: a PNG of over ${mostPngChunks} chunks`, {
    hint: 'save it anew without its texts',
  });
}

/** The library's own text is kept as the cause and never quoted (damage.ts). */
async function coded<T>({ name, format, file }: OpenedFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CraneError(
      'E_IMAGE_DECODE',
      `${name}: damaged or not readable: ${await damageOf(format, file)}`,
      {
        cause,
      },
    );
  }
}
