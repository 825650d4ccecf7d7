/** Reads HEIC, as phones write it. */
import type { OpenFile } from '../files/open-file.js';
import type { Size } from '../options/types.js';
import { type OpenHeic, openHeic } from './heic-decoder.js';
import { checkSize, type ReadLimits } from './read-limits.js';
import { eightBits, type Samples } from './samples.js';

/** @throws CraneError E_DEPENDENCY without the package, E_IMAGE_*, E_MEMORY */
export async function readHeic(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  return withPicture(name, file, async ({ facts, decode }) => {
    const { width, height, hasAlpha, bits } = facts;
    checkSize(name, width, height, limits);
    const channels = hasAlpha ? 4 : 3;
    const bytes = bits > 8 ? 2 : 1;
    // The decoder's own planes, its colours, and the copy without padding.
    await limits.reserve?.(width * height * (channels * 2 + 3) * bytes + file.bytes);
    return {
      data: await decode(),
      width,
      height,
      mode: hasAlpha ? 'RGBA' : 'RGB',
      stated: bits > 8 ? { kind: 'bits', bits, from: 'tag' } : eightBits,
    };
  });
}

/** @throws CraneError E_DEPENDENCY, E_IMAGE_DECODE, E_IMAGE_ANIMATED */
export async function measureHeic(name: string, file: OpenFile): Promise<Size> {
  return withPicture(name, file, async ({ facts: { width, height } }) => ({ width, height }));
}

async function withPicture<T>(
  name: string,
  file: OpenFile,
  work: (heic: OpenHeic) => Promise<T>,
): Promise<T> {
  const heic = await openHeic(name, await file.read(0, file.bytes));
  try {
    return await work(heic);
  } finally {
    heic.close();
  }
}
