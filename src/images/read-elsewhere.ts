/** Hands pictures that the decoder library does not read to a thread that does (read-work.ts). */
import type { Size } from '../options/types.js';
import { inThread } from '../threads/pool.js';
import { ownCopy } from './own-copy.js';
import type { PictureFile } from './picture-input.js';
import type { ReadLimits } from './read-limits.js';
import type { ReadWork } from './read-work.js';
import type { Samples } from './samples.js';

const k_module = 'images/read-work.js';
const load = () => import('./read-work.js');

/** Bytes are copied; the readers reserve memory for them with the rest. @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY, E_DEPENDENCY */
export async function readElsewhere(source: PictureFile, limits: ReadLimits): Promise<Samples> {
  return inThread(k_module, load, 'readOwnFormat', await workOf(source, limits), { reserve: limits.reserve });
}

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_DEPENDENCY */
export async function measureElsewhere(source: PictureFile): Promise<Size> {
  return inThread(k_module, load, 'measureOwnFormat', await workOf(source, { maxPixels: 0 }));
}

async function workOf(
  source: PictureFile,
  { maxPixels, minSide }: Pick<ReadLimits, 'maxPixels' | 'minSide'>,
): Promise<ReadWork> {
  const { name } = source;
  const limits = { maxPixels, ...(minSide === undefined ? {} : { minSide }) };
  if (source.kind === 'file') return { name, path: source.path, ...limits };
  const { length } = source.bytes;
  // Given to the other thread, so it must not be the caller's.
  const bytes = await ownCopy(name, source.bytes, { row: length, rows: 1, stride: length });
  return { name, bytes: bytes as Uint8Array, ...limits };
}
