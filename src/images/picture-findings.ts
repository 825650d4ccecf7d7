/**
 * What cannot be right about a decoded picture: nothing in it, nearly all of it at one end of its range, or hardly any
 * difference. A sample of its pixels decides, so that it costs nothing beside decoding.
 */
import { types } from 'node:util';
import type { NativePicture } from '../addon/native.js';
import { farApart, inSlices } from './in-slices.js';
import { channelsOf, type PictureNote } from './samples.js';

/** Pixels looked at, evenly spread. */
const k_sampled = 16_384;
/** Share of pixels at black, or at white, that is no scene any more; dark grounds and bright tables have less. */
const k_oneEnd = 0.98;
/** Levels between the darkest and the brightest sample that are less than any camera's noise. */
const k_narrow = 4;

/** @param picture of 8 bits, or 16-bit grey that is cut at 255 (compat.grey16) */
export async function pictureFindings({ data, width, height, mode }: NativePicture): Promise<PictureNote[]> {
  const channels = channelsOf[mode];
  // Alpha is no colour.
  const colours = mode === 'LA' || mode === 'RGBA' ? channels - 1 : channels;
  const pixels = width * height;
  const step = Math.max(1, Math.floor(pixels / k_sampled));
  let black = 0;
  let white = 0;
  let least = 255;
  let most = 0;
  const seen = Math.ceil(pixels / step);
  await inSlices(
    seen,
    (from, to) => {
      for (let pixel = from * step; pixel < to * step && pixel < pixels; pixel += step) {
        let low = 255;
        let high = 0;
        for (let at = pixel * channels; at < pixel * channels + colours; at++) {
          const value = Math.min(255, data[at]!);
          if (value < low) low = value;
          if (value > high) high = value;
        }
        if (high === 0) black++;
        if (low === 255) white++;
        if (low < least) least = low;
        if (high > most) most = high;
      }
    },
    farApart,
  );
  if (least === most && (await isConstant(data))) {
    return [
      { kind: 'constant', message: `every pixel has the level ${most} of 255: there is nothing to see` },
    ];
  }
  const atEnd = Math.max(black, white) / seen;
  if (atEnd >= k_oneEnd) {
    const end = black > white ? 'black' : 'white';
    return [
      {
        kind: 'one-end',
        message: `${Math.floor(atEnd * 100)} % of its pixels are ${end}: look at it, or at the range of its values (--bit-depth, --value-range)`,
      },
    ];
  }
  if (most - least < k_narrow) {
    return [
      {
        kind: 'narrow',
        message: `its levels go from ${least} to ${most} of 255 only: look at it, or at the range of its values (--bit-depth, --value-range)`,
      },
    ];
  }
  return [];
}

/** Only asked where the sample is constant; ends at the first difference. */
async function isConstant(data: NativePicture['data']): Promise<boolean> {
  let isSame = true;
  if (types.isUint8Array(data)) {
    // Each value beside the next, by the system's own comparison.
    await inSlices(data.length - 1, (from, to) => {
      isSame &&= Buffer.compare(data.subarray(from, to), data.subarray(from + 1, to + 1)) === 0;
    });
    return isSame;
  }
  const first = Math.min(255, data[0]!);
  await inSlices(
    data.length,
    (from, to) => {
      for (let at = from; at < to && isSame; at++) isSame = Math.min(255, data[at]!) === first;
    },
    8 * farApart,
  );
  return isSame;
}
