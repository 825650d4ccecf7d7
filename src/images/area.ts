/**
 * What of a picture is looked at: a rectangle of it (roi), without the pixels of a mask (ignore). Both are done to the samples, before
 * anything else sees them: outside of the rectangle nothing is known of the picture, and what the mask hides is painted over.
 */
import { types } from 'node:util';
import { CraneError } from '../errors.js';
import type { Roi, Size } from '../options/types.js';
import { allocate } from './allocate.js';
import { inSlices } from './in-slices.js';
import { checkSize } from './read-limits.js';
import { channelsOf, type SampleArray, type Samples } from './samples.js';

/** A mask of the whole picture, decoded. */
export interface IgnoreMask extends Size {
  name: string;
  data: Uint8Array;
  /** of a pixel; the last one is alpha where there are 2 or 4 */
  channels: number;
}

export interface SeenArea {
  samples: Samples;
  /** of the picture before it was cut */
  whole: Size;
  /** of each pixel of the cut picture: 1 where it is ignored; undefined: there is no mask */
  ignored: Uint8Array | undefined;
}

/** @throws CraneError E_IMAGE_SHAPE for a rectangle that lies outside or a mask of another size, or that leaves nothing; E_IMAGE_TOO_SMALL */
export async function cutToArea(
  name: string,
  samples: Samples,
  { roi, mask }: { roi: Roi | undefined; mask: IgnoreMask | undefined },
): Promise<SeenArea> {
  const whole = { width: samples.width, height: samples.height };
  const box = roi ?? { x: 0, y: 0, ...whole };
  if (box.x + box.width > whole.width || box.y + box.height > whole.height) {
    throw new CraneError(
      'E_IMAGE_SHAPE',
      `${name}: the region of interest ${box.x},${box.y},${box.width},${box.height} does not lie in its ${whole.width} x ${whole.height} pixels`,
      { hint: 'roi is x,y,width,height in pixels of the upright picture' },
    );
  }
  checkSize(name, box.width, box.height, { maxPixels: Number.POSITIVE_INFINITY });
  const cut = roi === undefined ? samples : await cropped(name, samples, box);
  if (mask === undefined) return { samples: cut, whole, ignored: undefined };
  if (mask.width !== whole.width || mask.height !== whole.height) {
    throw new CraneError(
      'E_IMAGE_SHAPE',
      `${mask.name}: the mask of what is ignored has ${mask.width} x ${mask.height} pixels, ${name} has ${whole.width} x ${whole.height}`,
      { hint: 'it is a picture of the same size: what is above 0 is ignored' },
    );
  }
  const ignored = await flagsOf(mask, box);
  return { samples: await painted(name, cut, ignored), whole, ignored };
}

async function cropped(name: string, samples: Samples, box: Roi): Promise<Samples> {
  const { data, width, mode, mosaic } = samples;
  const channels = mosaic ? 1 : channelsOf[mode];
  const row = box.width * channels;
  const copy = sameKind(name, data, row * box.height);
  await inSlices(
    box.height,
    (from, to) => {
      for (let y = from; y < to; y++) {
        const start = ((box.y + y) * width + box.x) * channels;
        copy.set(data.subarray(start, start + row), y * row);
      }
    },
    Math.max(1, Math.floor(k_slice / row)),
  );
  return {
    ...samples,
    data: copy,
    width: box.width,
    height: box.height,
    // The colour filters begin elsewhere.
    ...(mosaic ? { mosaic: [0, 1, 2, 3].map((at) => mosaic[at ^ ((box.x & 1) | ((box.y & 1) << 1))]!) } : {}),
  };
}

/** Values worked on between two turns of the event loop: below a millisecond. */
const k_slice = 1 << 17;

/** Colours decide, alpha does not. */
async function flagsOf({ data, width, channels }: IgnoreMask, box: Roi): Promise<Uint8Array> {
  const colours = channels === 2 || channels === 4 ? channels - 1 : channels;
  const flags = new Uint8Array(box.width * box.height);
  await inSlices(
    box.height,
    (from, to) => {
      for (let y = from; y < to; y++) {
        for (let x = 0; x < box.width; x++) {
          const at = ((box.y + y) * width + box.x + x) * channels;
          for (let c = 0; c < colours; c++) if (data[at + c]! > 0) flags[y * box.width + x] = 1;
        }
      }
    },
    Math.max(1, Math.floor(k_slice / (box.width * channels))),
  );
  return flags;
}

/** In the mean of what is left, of each channel, or of each cell of a sensor with colour filters. */
async function painted(name: string, samples: Samples, ignored: Uint8Array): Promise<Samples> {
  const { data, width, height, mode, mosaic } = samples;
  const channels = mosaic ? 1 : channelsOf[mode];
  const kinds = mosaic ? 4 : channels;
  const kindOf = (pixel: number, c: number) =>
    mosaic ? ((pixel % width) & 1) | ((Math.floor(pixel / width) & 1) << 1) : c;
  const sums = new Float64Array(kinds);
  const counts = new Float64Array(kinds);
  let left = 0;
  const pixels = width * height;
  const slice = Math.max(1, Math.floor(k_slice / channels));
  await inSlices(
    pixels,
    (from, to) => {
      for (let pixel = from; pixel < to; pixel++) {
        if (ignored[pixel]) continue;
        left++;
        for (let c = 0; c < channels; c++) {
          const value = data[pixel * channels + c]!;
          if (!Number.isFinite(value)) continue;
          sums[kindOf(pixel, c)]! += value;
          counts[kindOf(pixel, c)]!++;
        }
      }
    },
    slice,
  );
  if (left === 0) {
    throw new CraneError(
      'E_IMAGE_SHAPE',
      `${name}: the mask ignores every pixel of it: nothing is left to look at`,
    );
  }
  const isWhole = !types.isFloat32Array(data) && !types.isFloat64Array(data);
  const means = sums.map((sum, kind) => {
    const mean = counts[kind]! > 0 ? sum / counts[kind]! : 0;
    return isWhole ? Math.round(mean) : mean;
  });
  const copy = sameKind(name, data, data.length);
  await inSlices(
    pixels,
    (from, to) => {
      copy.set(data.subarray(from * channels, to * channels), from * channels);
      for (let pixel = from; pixel < to; pixel++) {
        if (!ignored[pixel]) continue;
        for (let c = 0; c < channels; c++) copy[pixel * channels + c] = means[kindOf(pixel, c)]!;
      }
    },
    slice,
  );
  return { ...samples, data: copy };
}

/** Of the same kind of numbers; never a Buffer. */
function sameKind(name: string, data: SampleArray, length: number): SampleArray {
  const { buffer } = allocate(name, length * data.BYTES_PER_ELEMENT);
  const kinds = {
    Uint8Array,
    Uint16Array,
    Uint32Array,
    Int8Array,
    Int16Array,
    Int32Array,
    Float32Array,
    Float64Array,
  };
  const kind = Object.prototype.toString.call(data).slice('[object '.length, -1);
  return new kinds[kind as keyof typeof kinds](buffer);
}

/**
 * Gives ignored pixels the value. NaN stays the largest of the others, as everywhere.
 * @returns the largest value of the pixels that are not ignored, and how many are
 */
export async function hideIgnored(
  map: Float32Array,
  ignored: Uint8Array,
  value: number,
): Promise<{ largest: number; count: number }> {
  let largest = Number.NEGATIVE_INFINITY;
  let count = 0;
  await inSlices(
    map.length,
    (from, to) => {
      for (let at = from; at < to; at++) {
        if (ignored[at]) {
          map[at] = value;
          count++;
        } else if (Number.isNaN(map[at]) || map[at]! > largest) largest = map[at]!;
      }
    },
    k_slice,
  );
  return { largest, count };
}
