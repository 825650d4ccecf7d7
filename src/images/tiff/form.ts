/**
 * What a TIFF is by its tags (TIFF 6.0 and its supplements): which page is the picture, what its samples mean, and which
 * of the two readers takes it. The decoder library reads the usual forms; bands beyond the colours, packed bits, signed
 * and floating-point samples, YCbCr without JPEG and mosaics of sensors are read by ours.
 */
import { CraneError } from '../../errors.js';
import type { StatedRange } from '../samples.js';
import { compressionName, compressions, hasPredictor } from './compression.js';
import { damaged, type TiffDirectory } from './directory.js';
import { tags as k_tags } from './tags.js';
import { checkWhole } from './whole-tags.js';

const k_mostChunkBytes = 2 ** 30;
const k_noPredictor = 1;

export const photometrics = {
  whiteIsZero: 0,
  blackIsZero: 1,
  rgb: 2,
  palette: 3,
  mask: 4,
  inks: 5,
  ycbcr: 6,
  mosaic: 32803,
} as const;

/** Colour spaces that are recognised so that they can be named. */
const k_otherColours: Readonly<Record<number, string>> = {
  5: 'CMYK inks',
  8: 'CIELab colours',
  9: 'ICCLab colours',
  10: 'ITULab colours',
  32844: 'LogL luminance',
  32845: 'LogLuv colours',
  34892: 'linear raw samples',
  51177: 'depth values',
};

export interface TiffForm {
  /** position among all pages of the file, as the decoder library counts */
  page: number;
  width: number;
  height: number;
  bits: number;
  /** of a pixel */
  samples: number;
  /** of these the colours come first */
  colours: 1 | 3;
  /** band of the alpha; undefined: none */
  alpha: number | undefined;
  /** colours are multiplied by the alpha */
  isPremultiplied: boolean;
  sampleFormat: 'unsigned' | 'signed' | 'float';
  photometric: number | undefined;
  /** one bit for true, stored by a library that writes arrays and marks them as "white is 0" all the same */
  isBooleanArray: boolean;
  hasProfile: boolean;
  compression: number;
  /** 1: none, or one that does not count */
  predictor: number;
  isPlanar: boolean;
  /** 1 to 8 as in EXIF */
  orientation: number;
  stated: StatedRange;
  reader: 'library' | 'own';
  /** bands that are neither colours nor alpha */
  dropped: number;
  chunks: Chunks;
  ycbcr: { luma: readonly number[]; subsampling: readonly number[]; blackWhite: readonly number[] };
  /** colours of the cells of a sensor: 0 red, 1 green, 2 blue */
  mosaic: readonly number[] | undefined;
}

/** Strips, or tiles: the pieces in which samples are stored. */
export interface Chunks {
  /** tiles are whole also where they reach beyond the picture; the last strip ends with it */
  isTiled: boolean;
  width: number;
  height: number;
  offsets: readonly number[];
  byteCounts: readonly number[];
}

/** @throws CraneError E_IMAGE_*, without the file's name */
export function tiffForm(directories: readonly TiffDirectory[]): TiffForm {
  const page = pictureAmong(directories);
  const directory = directories[page]!;
  const one = (tag: number, otherwise: number) => directory.get(tag)?.[0] ?? otherwise;
  const all = (tag: number, otherwise: readonly number[]) => directory.get(tag) ?? otherwise;
  refuseRaw(directories);
  checkWhole(directory);

  const width = one(k_tags.width, 0);
  const height = one(k_tags.height, 0);
  const samples = one(k_tags.samples, 1);
  const bitsOfEach = all(k_tags.bits, [1]);
  const bits = bitsOfEach[0]!;
  const compression = one(k_tags.compression, compressions.none);
  const photometric = directory.get(k_tags.photometric)?.[0];
  const sampleFormat = formatOf(all(k_tags.sampleFormat, [1]));
  if (bitsOfEach.some((entry) => entry !== bits))
    throw unread(`bands of ${bitsOfEach.join(', ')} bits`, 'save them with the same number of bits');
  if (!compressions.library.includes(compression))
    throw unread(`compressed with ${compressionName(compression)}`, 'save it uncompressed or with Deflate');
  if (photometric !== undefined && k_otherColours[photometric] !== undefined) {
    throw new CraneError('E_IMAGE_COLOUR', `a TIFF of ${k_otherColours[photometric]}, expected grey or RGB`, {
      hint: 'convert it to RGB first: how it becomes colours is a choice',
    });
  }
  const colours = photometric === photometrics.rgb || photometric === photometrics.ycbcr ? 3 : 1;
  const bands = bandsOf(samples, colours, directory.get(k_tags.extraSamples));
  const form = {
    page,
    width,
    height,
    bits,
    samples,
    colours,
    ...bands,
    sampleFormat,
    photometric,
    isBooleanArray: bits === 1 && photometric === photometrics.whiteIsZero && isOfTifffile(directory),
    hasProfile: directory.has(k_tags.profile),
    compression,
    predictor: hasPredictor(compression) ? one(k_tags.predictor, k_noPredictor) : k_noPredictor,
    isPlanar: one(k_tags.planar, 1) === 2,
    orientation: one(k_tags.orientation, 1),
    stated: rangeOf(bits, sampleFormat, one(k_tags.leastSample, 0), directory.get(k_tags.mostSample)?.[0]),
    chunks: chunksOf(directory, width, height),
    ycbcr: ycbcrOf(directory, photometric),
    mosaic: mosaicOf(directory, photometric),
  } as const;
  const reader = readerOf(form);
  if (reader === 'own') checkOwn(form, one(k_tags.fillOrder, 1));
  return { ...form, reader };
}

/** A TIFF's orientation is applied by Pillow too, so always. */
export function uprightSize({ width, height, orientation }: TiffForm): { width: number; height: number } {
  return orientation >= 5 && orientation <= 8 ? { width: height, height: width } : { width, height };
}

/** The one full picture among thumbnails, overviews and masks of transparency. */
function pictureAmong(directories: readonly TiffDirectory[]): number {
  const full = [...directories.keys()].filter((at) => {
    const directory = directories[at]!;
    const kind = directory.get(k_tags.subfileType)?.[0] ?? 0;
    const isReduced = (kind & 1) !== 0 || directory.get(k_tags.oldSubfileType)?.[0] === 2;
    const isMask = (kind & 4) !== 0;
    return !isReduced && !isMask;
  });
  if (full.length <= 1) return full[0] ?? 0;
  throw new CraneError('E_IMAGE_ANIMATED', `has ${full.length} frames or pages, expected one`, {
    hint: 'save the wanted one as its own file',
  });
}

/** A camera's raw file is a TIFF whose first page is often but a thumbnail. */
function refuseRaw(directories: readonly TiffDirectory[]): void {
  if (!directories.some((directory) => directory.has(k_tags.dngVersion))) return;
  throw new CraneError('E_IMAGE_FORMAT', 'a camera raw file (DNG), which is not read', {
    hint: 'develop it to PNG or 16-bit TIFF first: how a raw file becomes colours is a choice of white balance and tone',
  });
}

/** The Python library `tifffile`, beneath scikit-image too, writes a boolean array as it is, true as 1, yet white is 0 by its tag. */
function isOfTifffile(directory: TiffDirectory): boolean {
  return String.fromCharCode(...(directory.get(k_tags.software) ?? [])).startsWith('tifffile');
}

function formatOf(formats: readonly number[]): TiffForm['sampleFormat'] {
  const [format = 1] = formats;
  if (formats.some((entry) => entry !== format)) throw unread('bands of different types', 'save them alike');
  if (format === 2) return 'signed';
  if (format === 3) return 'float';
  if (format === 5 || format === 6) throw unread('complex samples', 'save what is meant as numbers');
  return 'unsigned';
}

function bandsOf(samples: number, colours: number, extras: readonly number[] | undefined) {
  const count = samples - colours;
  const none = { alpha: undefined, isPremultiplied: false, dropped: Math.max(0, count) };
  if (count <= 0) return none;
  // Without the tag a single further band is alpha, as Pillow takes it.
  const kinds = extras ?? (count === 1 ? [2] : []);
  const at = kinds.findIndex((kind) => kind === 1 || kind === 2);
  if (at >= 0) return { alpha: colours + at, isPremultiplied: kinds[at] === 1, dropped: count - 1 };
  if (colours === 3 || count === 1) return none;
  throw unread(
    `${samples} bands of which the file does not say what they are`,
    'save the wanted band as grey, or three of them as RGB',
  );
}

/** A tag counts where it states the range of a type, not where it may be the picture's own maximum. */
function rangeOf(
  bits: number,
  format: TiffForm['sampleFormat'],
  least: number,
  most: number | undefined,
): StatedRange {
  const isRange = least === 0 && most !== undefined && Number.isInteger(Math.log2(most + 1));
  if (format === 'unsigned' && bits <= 16) {
    const stated = isRange ? Math.log2(most + 1) : bits;
    return stated >= 8 && stated < 16
      ? { kind: 'bits', bits: stated, from: 'tag' }
      : { kind: 'bits', bits, from: 'container' };
  }
  if (isRange && (format === 'float' || most > 255)) return { kind: 'range', low: 0, high: most };
  const types = { unsigned: 'unsigned', signed: 'signed', float: 'floating point' };
  return { kind: 'none', type: `${bits}-bit ${types[format]}` };
}

function chunksOf(directory: TiffDirectory, width: number, height: number): Chunks {
  const tileWidth = directory.get(k_tags.tileWidth)?.[0];
  const isTiled = tileWidth !== undefined;
  const rows = directory.get(isTiled ? k_tags.tileHeight : k_tags.rowsPerStrip)?.[0] ?? height;
  return {
    isTiled,
    width: tileWidth ?? width,
    // Writers state 2^32 - 1 for "all".
    height: isTiled ? rows : Math.min(rows, height),
    offsets: directory.get(isTiled ? k_tags.tileOffsets : k_tags.offsets) ?? [],
    byteCounts: directory.get(isTiled ? k_tags.tileByteCounts : k_tags.byteCounts) ?? [],
  };
}

function mosaicOf(directory: TiffDirectory, photometric: number | undefined): readonly number[] | undefined {
  if (photometric !== photometrics.mosaic) return undefined;
  const size = directory.get(k_tags.mosaicSize);
  const pattern = directory.get(k_tags.mosaic);
  if (size?.[0] === 2 && size[1] === 2 && pattern?.length === 4) return pattern;
  throw unread(
    'the mosaic of a sensor without its pattern',
    'save it in colours, or give { data, width, height, channels, bits, bayer } to the library',
  );
}

/** What other pictures say of it concerns nobody. */
function ycbcrOf(directory: TiffDirectory, photometric: number | undefined): TiffForm['ycbcr'] {
  const luma = directory.get(k_tags.lumaCoefficients) ?? [0.299, 0.587, 0.114];
  const blackWhite = directory.get(k_tags.blackWhite) ?? [0, 255, 128, 255, 128, 255];
  const isRange = (at: number) => blackWhite[at] !== blackWhite[at + 1];
  const isUsed = photometric === photometrics.ycbcr;
  const isWhole = [...luma, ...blackWhite].every(Number.isFinite) && luma[1] !== 0;
  if (isUsed && !(isWhole && [0, 2, 4].every(isRange))) throw damaged('what its YCbCr means makes no sense');
  return { luma, blackWhite, subsampling: directory.get(k_tags.subsampling) ?? [2, 2] };
}

type Unread = Omit<TiffForm, 'reader'>;

function readerOf(form: Unread): TiffForm['reader'] {
  const { bits, sampleFormat, photometric, compression, mosaic, samples, colours, alpha, dropped } = form;
  if (mosaic !== undefined || sampleFormat !== 'unsigned') return 'own';
  if (![1, 2, 4, 8, 16].includes(bits)) return 'own';
  if (photometric === photometrics.ycbcr) return compression === compressions.jpeg ? 'library' : 'own';
  // The library takes every further band for alpha; one of them can be left out of its result.
  const hasPlainAlpha = alpha === colours && dropped === 0;
  return samples <= colours || hasPlainAlpha || dropped + (alpha === undefined ? 0 : 1) === 1
    ? 'library'
    : 'own';
}

function checkOwn(form: Unread, fillOrder: number): void {
  const { bits, samples, chunks, compression, photometric, sampleFormat, predictor } = form;
  if (!compressions.own.includes(compression)) {
    throw unread(
      `compressed with ${compressionName(compression)} in this form`,
      'save it uncompressed or with Deflate',
    );
  }
  const hasDepth = sampleFormat === 'float' ? [16, 32, 64].includes(bits) : bits >= 1 && bits <= 32;
  if (!hasDepth) throw unread(`samples of ${bits} bits`, 'save it with 8 or 16 bits');
  if (photometric === photometrics.ycbcr && bits !== 8)
    throw unread(`YCbCr of ${bits} bits`, 'convert it to RGB');
  const fits = [
    predictor === k_noPredictor,
    predictor === 2 && bits % 8 === 0 && photometric !== photometrics.ycbcr,
    predictor === 3 && sampleFormat === 'float',
  ];
  if (!fits.includes(true))
    throw unread(`predictor ${predictor} in this form`, 'save it without a predictor');
  const chunkBytes = (chunks.width * chunks.height * samples * bits) / 8;
  if (!(chunkBytes > 0 && chunkBytes <= k_mostChunkBytes))
    throw damaged(`a strip or tile is ${chunks.width} x ${chunks.height}`);
  if (fillOrder === 2) throw unread('bits in the order of fax machines', 'save it anew');
}

function unread(what: string, how: string): CraneError {
  return new CraneError('E_IMAGE_FORMAT', `a TIFF of a form that is not read: ${what}`, { hint: how });
}
