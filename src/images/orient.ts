/** Turns samples as an EXIF orientation says. */
import { allocate } from './allocate.js';
import { inSlices } from './in-slices.js';
import type { SampleArray } from './samples.js';

interface Raster {
  data: SampleArray;
  width: number;
  height: number;
}

/** @param orientation 1 to 8 of EXIF; others count as 1, as every reader does */
export async function orient(
  { data, width, height }: Raster,
  channels: number,
  orientation: number,
): Promise<Raster> {
  if (!(orientation >= 2 && orientation <= 8)) return { data, width, height };
  const isTurned = orientation >= 5;
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const memory = allocate('turning', data.byteLength).buffer;
  const turned = new (data.constructor as new (memory: ArrayBuffer) => SampleArray)(memory);
  const toWidth = isTurned ? height : width;
  const toHeight = isTurned ? width : height;
  await inSlices(
    toHeight,
    (from, to) => {
      for (let y = from; y < to; y++) {
        for (let x = 0; x < toWidth; x++) {
          const alongX = isTurned ? y : x;
          const alongY = isTurned ? x : y;
          const sourceX = fromRight ? width - 1 - alongX : alongX;
          const sourceY = fromBelow ? height - 1 - alongY : alongY;
          const source = (sourceY * width + sourceX) * channels;
          const at = (y * toWidth + x) * channels;
          for (let channel = 0; channel < channels; channel++) turned[at + channel] = data[source + channel]!;
        }
      }
    },
    Math.max(1, Math.floor(50_000 / toWidth)),
  );
  return { data: turned, width: toWidth, height: toHeight };
}
