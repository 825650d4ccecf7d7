/** Long loops over pixels in pieces well below a millisecond, between which the event loop serves others. */
import { setImmediate } from 'node:timers/promises';

/** Samples that a simple loop does in a fraction of a millisecond. */
const k_sliceSamples = 100_000;

/** Samples that are spread over a picture, each of which has to be fetched, that a loop does in a fraction of a millisecond. */
export const farApart = 1_024;

/** Rows of so many samples that make a slice. */
export function rowsOfSlice(samples: number): number {
  return Math.max(1, Math.floor(k_sliceSamples / samples));
}

/** @param work does [from, to) */
export async function inSlices(
  count: number,
  work: (from: number, to: number) => void,
  slice = k_sliceSamples,
): Promise<void> {
  for (let from = 0; from < count; from += slice) {
    if (from > 0) await setImmediate();
    work(from, Math.min(count, from + slice));
  }
}
