/**
 * From samples of more than 8 bits to the 256 levels of the model's input: each level stands for an equal share of the
 * stated range. For 2^n - 1 that is dropping the low bits, as cameras and Pillow's 16-bit RGB do. A picture's own
 * maximum never decides: its score would depend on it.
 */
import { types } from 'node:util';
import { CraneError } from '../errors.js';
import { allocate } from './allocate.js';
import { inSlices } from './in-slices.js';
import type { Reading, ValueRange } from './reading.js';
import type { PictureNote, SampleArray, Samples, StatedRange } from './samples.js';

/** How the values of a picture of more than 8 bits became levels. */
export interface Levels extends ValueRange {
  /** where the range is 0 to 2^bits - 1 */
  bits?: number;
  from: 'container' | 'tag' | 'option';
}

export interface Levelled {
  data: Uint8Array<ArrayBuffer>;
  levels: Levels;
  notes: PictureNote[];
}

/** Depths that cameras have; a value that needs more bits than the last of them needs the whole container. */
const k_cameraDepths = [8, 10, 12, 14];
/** A share of values outside the stated range that is worth a word. */
const k_outsideShare = 0.05;

export function levelOf(value: number, { low, high }: ValueRange): number {
  const level = Math.floor(((value - low) * 256) / (high - low));
  return level < 0 ? 0 : level > 255 ? 255 : level;
}

/** @throws CraneError E_IMAGE_RANGE, E_IMAGE_NONFINITE, E_MEMORY */
export async function toLevels(name: string, samples: Samples, reading: Reading): Promise<Levelled> {
  const levels = levelsFor(name, samples, reading);
  const { data } = samples;
  const levelled = allocate(name, data.length);
  const seen = types.isUint16Array(data)
    ? await throughTable(data, levelled, levels, alphaOf(samples))
    : await throughFormula(name, data, levelled, levels, alphaOf(samples));
  const notes: PictureNote[] = [];
  const isUnsigned = types.isUint16Array(data) || types.isUint32Array(data);
  if (levels.bits !== undefined && isUnsigned) {
    if (levels.from === 'option' && seen.most > levels.high) throw tooDeep(name, seen.most, levels.bits);
    notes.push(...fewerBits(seen.most, levels.bits));
  }
  if (seen.outside > k_outsideShare * data.length) notes.push(outside(seen.outside / data.length, levels));
  return { data: levelled, levels, notes };
}

/** Any value above 0 stays above 0: what counts in a mask. */
export async function toMaskLevels(name: string, data: SampleArray): Promise<Uint8Array<ArrayBuffer>> {
  const clipped = allocate(name, data.length);
  await inSlices(data.length, (from, to) => {
    for (let at = from; at < to; at++) {
      const value = data[at]!;
      clipped[at] = value > 0 ? Math.min(255, Math.ceil(value)) : 0;
    }
  });
  return clipped;
}

function levelsFor(name: string, { stated, data }: Samples, { bitDepth, valueRange }: Reading): Levels {
  if (valueRange !== null) return { ...valueRange, from: 'option' };
  const isUnsigned = types.isUint16Array(data) || types.isUint8Array(data);
  const isSaid = stated.kind === 'bits' && stated.from === 'option';
  if (bitDepth !== 'auto' && isUnsigned && !isSaid) return { ...ofBits(bitDepth), from: 'option' };
  if (stated.kind === 'none') throw unstated(name, stated);
  if (stated.kind === 'bits') return { ...ofBits(stated.bits), from: stated.from };
  return { low: stated.low, high: stated.high, from: 'tag' };
}

function ofBits(bits: number) {
  return { low: 0, high: 2 ** bits - 1, bits };
}

/** What was seen of the colours; alpha says nothing about the bits of a camera. */
interface Seen {
  most: number;
  /** samples below `low` or above `high` */
  outside: number;
}

/** Every how many samples there is one of alpha; 0: never. */
function alphaOf({ mode }: Samples): number {
  return mode === 'LA' ? 2 : mode === 'RGBA' ? 4 : 0;
}

async function throughTable(
  data: Uint16Array,
  levelled: Uint8Array,
  levels: Levels,
  alphaEvery: number,
): Promise<Seen> {
  const table = new Uint8Array(65536);
  for (let value = 0; value < table.length; value++) table[value] = levelOf(value, levels);
  const { low, high } = levels;
  const seen: Seen = { most: 0, outside: 0 };
  await inSlices(data.length, (from, to) => {
    let { most, outside } = seen;
    for (let at = from; at < to; at++) {
      const value = data[at]!;
      levelled[at] = table[value]!;
      if (alphaEvery > 0 && (at + 1) % alphaEvery === 0) continue;
      if (value > most) most = value;
      if (value > high || value < low) outside++;
    }
    seen.most = most;
    seen.outside = outside;
  });
  return seen;
}

async function throughFormula(
  name: string,
  data: SampleArray,
  levelled: Uint8Array,
  levels: Levels,
  alphaEvery: number,
): Promise<Seen> {
  const { low, high } = levels;
  const seen: Seen = { most: Number.NEGATIVE_INFINITY, outside: 0 };
  await inSlices(data.length, (from, to) => {
    for (let at = from; at < to; at++) {
      const value = data[at]!;
      if (!Number.isFinite(value)) {
        throw new CraneError('E_IMAGE_NONFINITE', `${name}: a sample is ${value}, expected numbers`, {
          hint: 'fill such samples before saving the picture',
        });
      }
      levelled[at] = levelOf(value, levels);
      if (alphaEvery > 0 && (at + 1) % alphaEvery === 0) continue;
      if (value > seen.most) seen.most = value;
      if (value > high || value < low) seen.outside++;
    }
  });
  return seen;
}

function fewerBits(most: number, bits: number): PictureNote[] {
  const enough = k_cameraDepths.find((depth) => most < 2 ** depth);
  if (enough === undefined || enough >= bits || most === 0) return [];
  return [
    {
      kind: 'bit-depth',
      bits: enough,
      message: `every value fits in ${enough} of its ${bits} bits; if the camera gives ${enough}, say so with --bit-depth ${enough} (bitDepth)`,
    },
  ];
}

function outside(share: number, { low, high }: ValueRange): PictureNote {
  return {
    kind: 'outside-range',
    message: `${Math.round(share * 100)} % of the values lie outside ${low} to ${high} and are black or white`,
  };
}

function tooDeep(name: string, most: number, bits: number): CraneError {
  return new CraneError(
    'E_IMAGE_RANGE',
    `${name}: has the value ${most}, but ${bits} bits end at ${2 ** bits - 1}`,
    {
      hint: 'where a camera puts its bits at the upper end, leave --bit-depth (bitDepth, bits) out; else give the true one',
    },
  );
}

function unstated(name: string, { type }: StatedRange & { kind: 'none' }): CraneError {
  return new CraneError(
    'E_IMAGE_RANGE',
    `${name}: ${type} values, and the file does not say which is black and which is white`,
    { hint: 'say it with --value-range LOW,HIGH (valueRange), for instance --value-range 0,1' },
  );
}
