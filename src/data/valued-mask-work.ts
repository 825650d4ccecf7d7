/**
 * Which pixels of a label map have the values that were named, on the thread that calls it, which is one of the pool (valued-mask.ts).
 */
import { types } from 'node:util';
import { CraneError } from '../errors.js';
import { inSlices, rowsOfSlice } from '../images/in-slices.js';
import type { SampleArray } from '../images/samples.js';
import type { MaskValue, NamedValues } from './mask-values.js';

export interface ValuedMask {
  /** [height, width], 255 where a named value is */
  data: Uint8Array;
  width: number;
  height: number;
  /** which of the named values are in it, by their place */
  met: ReadonlySet<number>;
  /** further values, as they would be named; without what lies behind everything (0, the palette's first colour, black) */
  others: readonly string[];
}

/** From a grey to the colour that shows it. */
const k_greyStep = 0x010101;

/** Values, or colours as 0xRRGGBB, of each pixel. */
interface Pixels {
  keys: SampleArray;
  /** the value of what lies behind everything */
  ground: number;
  isColour: boolean;
  palette: Uint8Array | undefined;
}

/** A label map as it was read. */
export interface LabelMap {
  path: string;
  data: SampleArray;
  width: number;
  height: number;
  mode: string;
  /** of a PNG that has one */
  palette: Uint8Array | undefined;
}

/** @throws CraneError E_DATA_MASK_VALUES where values cannot be told apart */
export async function markValues({
  path,
  data,
  width,
  height,
  mode,
  palette,
  values,
}: LabelMap & { values: NamedValues }): Promise<ValuedMask> {
  const pixels = await pixelsOf({ path, data, width, height, mode, palette });
  const counts = await countsOf(pixels.keys);
  const keys = values.map((value) => keyOf(value, pixels));
  const wanted = new Set(keys.filter((key) => key !== undefined));
  checkClear(path, { values, wanted, pixels, counts });
  const marks = new Uint8Array(width * height);
  await inSlices(marks.length, (from, to) => {
    for (let at = from; at < to; at++) if (wanted.has(pixels.keys[at]!)) marks[at] = 255;
  });
  const met = new Set(keys.flatMap((key, at) => (key !== undefined && counts.has(key) ? at : [])));
  const others = [...counts.keys()].filter((key) => !wanted.has(key) && key !== pixels.ground);
  return { data: marks, width, height, met, others: others.map((key) => nameOf(key, pixels)) };
}

async function pixelsOf({ path, data, width, height, mode, palette }: LabelMap): Promise<Pixels> {
  const count = width * height;
  const channels = data.length / count;
  if (channels === 1) return { keys: data, ground: 0, isColour: false, palette: undefined };
  const hasAlpha = channels === 2 || mode === 'RGBA';
  const isWide = !types.isUint8Array(data);
  const keys = new Uint32Array(count);
  let isGrey = true;
  await inSlices(
    count,
    (from, to) => {
      for (let pixel = from, at = from * channels; pixel < to; pixel++, at += channels) {
        // What is wholly transparent shows nothing, whatever colour lies in it.
        if (hasAlpha && data[at + channels - 1] === 0) continue;
        const red = data[at]!;
        const [green, blue] = channels >= 3 ? [data[at + 1]!, data[at + 2]!] : [red, red];
        if (red !== green || red !== blue) isGrey = false;
        keys[pixel] = isWide ? (red === green && red === blue ? red : 0) : (red << 16) | (green << 8) | blue;
      }
    },
    rowsOfSlice(channels),
  );
  if (isWide && !isGrey)
    throw unclear(
      path,
      'colours of 16 bits, of which none can be named',
      'save the label map with 8 bits a channel',
    );
  if (palette !== undefined) return { keys, ground: keyAt(palette, 0), isColour: true, palette };
  if (!isGrey) return { keys, ground: 0, isColour: true, palette };
  // A grey map that was saved in colours.
  if (!isWide)
    await inSlices(count, (from, to) => {
      for (let pixel = from; pixel < to; pixel++) keys[pixel] = keys[pixel]! & 255;
    });
  return { keys, ground: 0, isColour: false, palette: undefined };
}

async function countsOf(keys: SampleArray): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  await inSlices(keys.length, (from, to) => {
    for (let at = from; at < to; ) {
      // Areas of one value are long.
      const key = keys[at]!;
      let end = at + 1;
      while (end < to && keys[end] === key) end++;
      counts.set(key, (counts.get(key) ?? 0) + end - at);
      at = end;
    }
  });
  return counts;
}

/** undefined: no pixel can have it */
function keyOf({ number, colour }: MaskValue, { isColour, palette }: Pixels): number | undefined {
  if (colour !== undefined) {
    const key = Number.parseInt(colour.slice(1), 16);
    return isColour ? key : key % k_greyStep === 0 ? key / k_greyStep : undefined;
  }
  if (palette !== undefined)
    return number! < Math.floor(palette.length / 3) ? keyAt(palette, number!) : undefined;
  if (!isColour) return number;
  return number! <= 255 ? number! * k_greyStep : undefined;
}

interface Found {
  values: NamedValues;
  wanted: ReadonlySet<number>;
  pixels: Pixels;
  counts: ReadonlyMap<number, number>;
}

/** @throws CraneError E_DATA_MASK_VALUES where the pixels do not tell what was named from what was not */
function checkClear(path: string, { values, wanted, pixels: { isColour, palette }, counts }: Found): void {
  if (!isColour) return;
  if (palette === undefined) {
    if (values.some(({ colour }) => colour !== undefined)) return;
    throw unclear(
      path,
      `a picture in colours without a palette, so ${values.map(({ text }) => text).join(', ')} say nothing`,
      'name colours: --mask-values "#ff0000"',
    );
  }
  const named = new Set(values.map(({ number }) => number));
  const colours = new Set(values.map(({ colour }) => colour));
  for (let other = 0; other < Math.floor(palette.length / 3); other++) {
    const key = keyAt(palette, other);
    if (!wanted.has(key) || !counts.has(key) || named.has(other) || colours.has(hexOf(key))) continue;
    throw unclear(
      path,
      `the palette has one colour for ${other} and for a value that was named, so they cannot be told apart`,
      'save the label map with its numbers as grey values, or name all of that colour',
    );
  }
}

function keyAt(palette: Uint8Array, index: number): number {
  const [red = 0, green = 0, blue = 0] = palette.subarray(3 * index, 3 * index + 3);
  return (red << 16) | (green << 8) | blue;
}

function nameOf(key: number, { isColour, palette }: Pixels): string {
  if (!isColour) return String(key);
  for (let index = 0; palette !== undefined && 3 * index < palette.length; index++)
    if (keyAt(palette, index) === key) return String(index);
  return hexOf(key);
}

function hexOf(key: number): string {
  return `#${key.toString(16).padStart(6, '0')}`;
}

function unclear(path: string, why: string, hint: string): CraneError {
  return new CraneError('E_DATA_MASK_VALUES', `${path}: ${why}`, { hint });
}
