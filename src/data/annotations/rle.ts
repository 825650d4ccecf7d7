/** Run lengths: masks as the lengths of runs, column by column, as COCO and Severstal write them. */
import type { DrawnMask } from './drawn-mask.js';

/** Lengths of runs, first one that is not marked, then one that is, and so on. */
export type Runs = readonly number[];

export function decodeCounts(counts: readonly number[]): Runs {
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return counts;
  throw new Error('a run whose length is no whole number');
}

/**
 * COCO's text: each length in groups of five bits, least first, as signs from `0` on; the sixth bit says that more follow. From
 * the third run on it is the difference to the length two runs before.
 */
export function decodeRunText(text: string): Runs {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let bits = 0;
    for (let more = true; more; bits += 5) {
      const sign = text.charCodeAt(at++) - 48;
      if (!(sign >= 0 && sign < 64) || bits > 45) throw new Error('runs that are no text of COCO');
      value += (sign & 0x1f) * 2 ** bits;
      more = (sign & 0x20) !== 0;
      // The last group's highest bit is the sign.
      if (!more && (sign & 0x10) !== 0) value -= 2 ** (bits + 5);
    }
    const length = value + (runs.length > 2 ? runs[runs.length - 2]! : 0);
    if (length < 0) throw new Error('a run of negative length');
    runs.push(length);
  }
  return runs;
}

/** From Severstal's pairs of first pixel (from 1) and length, which may overlap. */
export function runsOfPairs(pairs: readonly number[], pixels: number): Runs {
  if (pairs.length % 2 !== 0) throw new Error('pairs of first pixel and length, of which one is missing');
  const marked: [from: number, end: number][] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const [first, length] = [pairs[at]! - 1, pairs[at + 1]!];
    if (
      !Number.isSafeInteger(first) ||
      !Number.isSafeInteger(length) ||
      first < 0 ||
      length < 0 ||
      first + length > pixels
    )
      throw new Error(`pixels ${first + 1} to ${first + length} of ${pixels}`);
    marked.push([first, first + length]);
  }
  marked.sort(([a], [b]) => a - b);
  const runs: number[] = [];
  let done = 0;
  for (const [from, end] of marked) {
    if (end <= done || end === from) continue;
    if (from > done || runs.length === 0) runs.push(from - done, end - from);
    else runs[runs.length - 1]! += end - done;
    done = end;
  }
  if (done < pixels) runs.push(pixels - done);
  return runs;
}

export function fillRuns(runs: Runs, { data, width, height }: DrawnMask): void {
  let at = 0;
  for (const [index, length] of runs.entries()) {
    if (at + length > width * height) throw new Error(`runs of more than ${width} x ${height} pixels`);
    if (index % 2 === 1)
      for (let pixel = at; pixel < at + length; pixel++)
        data[(pixel % height) * width + Math.floor(pixel / height)] = 255;
    at += length;
  }
  if (at !== width * height) throw new Error(`runs of ${at} pixels, the picture has ${width * height}`);
}
