/**
 * THE way from a picture to the 8 bits that the model sees, for scoring, training, testing, calibration and checks: in
 * the mode with which Pillow would have opened it (method.md 2), and samples of more bits by the range that file or
 * caller state (docs/pictures.md). Masks have a door of their own, where what is above 0 stays above 0.
 */
import { types } from 'node:util';
import type { NativePicture } from '../addon/native.js';
import type { Roi, Size } from '../options/types.js';
import { inThread } from '../threads/pool.js';
import { allocateUnfilled } from './allocate.js';
import { cutToArea, type SeenArea } from './area.js';
import { farApart, inSlices } from './in-slices.js';
import type { Levels } from './levels.js';
import { pictureFindings } from './picture-findings.js';
import type { PictureSource } from './picture-input.js';
import type { ReadLimits } from './read-limits.js';
import { readSamples } from './read-samples.js';
import type { Reading } from './reading.js';
import { channelsOf, type PictureNote, type Samples } from './samples.js';

/** What of the picture is looked at (area.ts). */
export interface PictureArea {
  roi?: Roi | undefined;
  /** a picture of the same size: what is above 0 is ignored */
  ignore?: PictureSource | undefined;
}

export interface DecodeOptions extends Omit<ReadLimits, 'exif'> {
  reading: Reading;
  area?: PictureArea | undefined;
}

export interface DecodedPicture extends NativePicture {
  /** of a picture of more than 8 bits: what became black and white */
  levels?: Levels;
  /** with an area: what was cut, and of each pixel that is left whether it is ignored */
  seen?: { whole: Size; ignored: Uint8Array | undefined };
  notes: readonly PictureNote[];
}

const k_levels = 'images/levels-work.js';
const loadLevels = () => import('./levels-work.js');

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY */
export async function decodePicture(source: PictureSource, options: DecodeOptions): Promise<DecodedPicture> {
  const { reading, area, ...others } = options;
  const limits = { ...others, exif: reading.exif };
  const read = await readSamples(source, limits);
  const { samples, ...cut } = area ? await seenArea(source.name, read, area, limits) : { samples: read };
  const picture = await toPicture(source.name, samples, reading);
  const seen = {
    ...picture,
    notes: [...picture.notes, ...(await pictureFindings(picture))],
    ...('whole' in cut ? { seen: cut } : {}),
  };
  return samples.mosaic === undefined ? seen : inColours(source.name, seen, samples.mosaic);
}

async function seenArea(
  name: string,
  samples: Samples,
  { roi, ignore }: PictureArea,
  limits: ReadLimits,
): Promise<SeenArea> {
  const { data, width, height } = samples;
  const pixels = width * height;
  // Of the cut picture and of the painted one, no larger than the whole.
  await limits.reserve?.((ignore ? 2 : 1) * data.byteLength + (ignore ? pixels : 0));
  const mask = ignore ? await decodeMask(ignore, limits) : undefined;
  return cutToArea(name, samples, {
    roi,
    mask: mask && { ...mask, name: ignore!.name, channels: channelsOf[mask.mode] },
  });
}

async function toPicture(name: string, samples: Samples, reading: Reading): Promise<DecodedPicture> {
  const { data, width, height, mode, mosaic } = samples;
  const notes = [...(samples.notes ?? []), ...(await transparentNotes(samples))];
  if (isEightBits(samples)) return { data: samples.data, width, height, mode, notes };
  if (reading.grey16 && mode === 'L' && mosaic === undefined && types.isUint16Array(data)) {
    const levels: Levels = { low: 0, high: 255, bits: 8, from: 'option' };
    return { data, width, height, mode: 'I;16', levels, notes };
  }
  // What is given is gone, and nobody else's.
  const levelled = await inThread(k_levels, loadLevels, 'levelsOf', { ...samples, name, reading });
  return { ...levelled, width, height, mode, notes: [...notes, ...levelled.notes] };
}

/** Pixels looked at, evenly spread. */
const k_sampled = 16_384;
/** Share of fully transparent pixels that is no rounded corner. */
const k_transparent = 0.02;

/** Alpha is dropped as in the reference: what is transparent shows what lies beneath, of which nobody thought. */
async function transparentNotes({ data, width, height, mode }: Samples): Promise<PictureNote[]> {
  if (mode !== 'LA' && mode !== 'RGBA') return [];
  const channels = channelsOf[mode];
  const pixels = width * height;
  const step = Math.max(1, Math.floor(pixels / k_sampled));
  const seen = Math.ceil(pixels / step);
  let transparent = 0;
  await inSlices(
    seen,
    (from, to) => {
      for (let sample = from; sample < to; sample++)
        if (data[(sample * step + 1) * channels - 1] === 0) transparent++;
    },
    farApart,
  );
  if (transparent < k_transparent * seen) return [];
  const share = Math.round((100 * transparent) / seen);
  return [
    {
      kind: 'transparent',
      message: `${share} % of its pixels are transparent: the colours beneath them are seen; save it on the background that is meant`,
    },
  ];
}

/** Of a sensor with colour filters: a colour that a cell lacks is the mean of its neighbours. */
async function inColours(
  name: string,
  { data, width, height, ...picture }: DecodedPicture,
  pattern: readonly number[],
): Promise<DecodedPicture> {
  const { loadAddon } = await import('../addon/load-addon.js');
  const { addon } = await loadAddon();
  const rgb = allocateUnfilled(name, width * height * 3);
  await addon.demosaic(data as Uint8Array, width, height, pattern, rgb);
  return { ...picture, data: rgb, width, height, mode: 'RGB' };
}

/** As its tags say. */
export interface DecodedMask extends NativePicture {
  data: Uint8Array;
  /** see Samples */
  isBooleanArray: boolean;
}

/**
 * A picture of labels: values of more than 8 bits are cut at 255, none becomes 0 that was not.
 * @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY
 */
export async function decodeMask(source: PictureSource, limits: ReadLimits): Promise<DecodedMask> {
  const samples = await readSamples(source, limits);
  const { data, width, height, mode, isBooleanArray = false } = samples;
  return {
    data: isEightBits(samples)
      ? samples.data
      : await inThread(k_levels, loadLevels, 'maskLevelsOf', { name: source.name, data }),
    width,
    height,
    mode,
    isBooleanArray,
  };
}

function isEightBits(samples: Samples): samples is Samples & { data: Uint8Array } {
  return types.isUint8Array(samples.data);
}
