/** Samples to levels (levels.ts), on the thread that calls it, which is one of the pool (decode.ts). */
import { type Levelled, toLevels, toMaskLevels } from './levels.js';
import type { Reading } from './reading.js';
import type { SampleArray, Samples } from './samples.js';

/** @throws CraneError E_IMAGE_RANGE, E_IMAGE_NONFINITE, E_MEMORY */
export async function levelsOf({
  name,
  reading,
  ...samples
}: Samples & { name: string; reading: Reading }): Promise<Levelled> {
  return toLevels(name, samples, reading);
}

/** @throws CraneError E_MEMORY */
export async function maskLevelsOf({
  name,
  data,
}: {
  name: string;
  data: SampleArray;
}): Promise<Uint8Array<ArrayBuffer>> {
  return toMaskLevels(name, data);
}
