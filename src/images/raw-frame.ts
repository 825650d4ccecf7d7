/** Frames of a camera as the library takes them: checked when they are given, copied when their memory is granted. */
// Arrays of another realm (Jest) are no instances of ours.
import { types } from 'node:util';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { wrongValue } from '../options/check.js';
import { ownCopy } from './own-copy.js';
import { checkSize, type ReadLimits } from './read-limits.js';
import { eightBits, type Samples } from './samples.js';

/**
 * Interleaved rows from top to bottom. Read until the result is there: leave the array alone meanwhile. It is copied in
 * pieces once the memory limit grants it; a transfer meanwhile is an error, never a crash.
 */
export interface RawPicture {
  data: Uint8Array | Uint8ClampedArray | Uint16Array;
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  /** of a Uint16Array: bits that are used, at the lower end; default: `bitDepth`, else 16 */
  bits?: number;
  /** elements from one row to the next; default width * channels */
  stride?: number;
  /** one channel from a sensor with colour filters: the cells at (0,0), (1,0), (0,1), (1,1) */
  bayer?: BayerName;
}

export type BayerName = 'rggb' | 'bggr' | 'grbg' | 'gbrg';

const k_modes = { 1: 'L', 2: 'LA', 3: 'RGB', 4: 'RGBA' } as const;
const k_patterns: Readonly<Record<BayerName, readonly number[]>> = {
  rggb: [0, 1, 1, 2],
  bggr: [2, 1, 1, 0],
  grbg: [1, 0, 2, 1],
  gbrg: [1, 2, 0, 1],
};

const k_fields: Record<keyof RawPicture, true> = {
  data: true,
  width: true,
  height: true,
  channels: true,
  bits: true,
  stride: true,
  bayer: true,
};

/** What it says as it is now; the values stay the caller's. @throws CraneError E_USAGE, E_IMAGE_SHAPE; reads nothing */
export function checkFrame(given: RawPicture): RawPicture {
  checkNames(given);
  const { data, width, height, channels, bits, stride, bayer } = given;
  for (const [name, value] of Object.entries({ width, height })) {
    if (!Number.isSafeInteger(value) || value < 1) throw wrongValue('a positive whole number', name, value);
  }
  if (typeof channels !== 'number' || !Object.hasOwn(k_modes, channels))
    throw wrongValue('1, 2, 3 or 4', 'channels', channels);
  const isWide = types.isUint16Array(data);
  if (!isWide && !types.isUint8Array(data) && !types.isUint8ClampedArray(data))
    throw wrongValue('a Uint8Array or Uint16Array', 'data', data);
  const most = isWide ? 16 : 8;
  if (bits !== undefined && !(Number.isSafeInteger(bits) && bits >= 8 && bits <= most)) {
    throw wrongValue(
      isWide ? 'a whole number from 8 to 16' : '8 with 8-bit data (unpack packed formats to a Uint16Array)',
      'bits',
      bits,
    );
  }
  if (bayer !== undefined && !(typeof bayer === 'string' && Object.hasOwn(k_patterns, bayer)))
    throw wrongValue('one of rggb, bggr, grbg, gbrg', 'bayer', bayer);
  if (bayer !== undefined && channels !== 1) throw wrongValue('1 with bayer', 'channels', channels);
  const frame: RawPicture = {
    data,
    width,
    height,
    channels,
    ...(bits === undefined ? {} : { bits }),
    ...(stride === undefined ? {} : { stride }),
    ...(bayer === undefined ? {} : { bayer }),
  };
  checkLength(frame);
  return frame;
}

function checkNames(frame: RawPicture): void {
  const strange = Object.entries(frame).find(
    ([name, value]) => value !== undefined && !Object.hasOwn(k_fields, name),
  )?.[0];
  if (strange === undefined) return;
  const nearest = nearestName(strange, Object.keys(k_fields));
  throw new CraneError('E_USAGE', `pixels have no field "${strange}"`, {
    hint: nearest ? `did you mean "${nearest}"?` : `they have ${Object.keys(k_fields).join(', ')}`,
  });
}

function checkLength({ data: { length }, width, height, channels, stride }: RawPicture): void {
  const row = width * channels;
  if (stride === undefined) {
    if (length === row * height) return;
    throw new CraneError(
      'E_IMAGE_SHAPE',
      `data has ${length} values, expected ${width} x ${height} x ${channels} = ${row * height}`,
      length > row * height ? { hint: 'rows with padding at their end: give stride' } : {},
    );
  }
  if (!Number.isSafeInteger(stride) || stride < row)
    throw wrongValue(`a whole number of at least width x channels = ${row}`, 'stride', stride);
  // The last row may come without its padding.
  if (length < stride * (height - 1) + row || length > stride * height) {
    throw new CraneError(
      'E_IMAGE_SHAPE',
      `data has ${length} values, expected ${height} rows of ${stride} = ${stride * height}`,
    );
  }
}

/** @throws CraneError E_IMAGE_TOO_LARGE, E_IMAGE_TOO_SMALL, E_IMAGE_SHAPE, E_MEMORY */
export async function readFrame(name: string, frame: RawPicture, limits: ReadLimits): Promise<Samples> {
  const { width, height, channels, bits, bayer } = frame;
  const isWide = types.isUint16Array(frame.data);
  checkSize(name, width, height, limits);
  // Its copy, the 8 bits that are made of it, and their colours.
  const ofSample = (isWide ? 3 : 1) + (bayer === undefined ? 0 : 3);
  await limits.reserve?.(width * height * channels * ofSample);
  const row = width * channels;
  const data = await ownCopy(name, frame.data, { row, rows: height, stride: frame.stride ?? row });
  const shape = { data, width, height, mode: k_modes[channels] };
  return {
    ...shape,
    stated: !isWide
      ? eightBits
      : bits === undefined
        ? { kind: 'bits', bits: 16, from: 'container' }
        : { kind: 'bits', bits, from: 'option' },
    ...(bayer === undefined ? {} : { mosaic: k_patterns[bayer] }),
  };
}
