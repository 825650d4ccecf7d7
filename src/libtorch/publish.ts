/** Where a libtorch is put together, and its move to where it is used: by renames, the marker last. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../files/make-folder.js';
import { type CacheMarker, readMarker, writeMarker } from './cache-marker.js';

/** Parts of a libtorch folder that are replaced as a whole. */
const parts = ['torch/include', 'torch', 'nvidia'];

/** All that is kept between runs for the cache folder. */
export function stagingFolder(folder: string): string {
  return `${folder}.part`;
}

/** What was kept of one source (its address, and its sum where one is wanted) never becomes part of another. */
export function stagingOf(folder: string, ...source: (string | undefined)[]): string {
  const name = createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 16);
  return join(stagingFolder(folder), name);
}

/**
 * tree: complete staging folder, consumed. folder: the cache folder. A folder that is complete but lacked the
 * headers is completed in place, since another process may have its libraries open.
 */
export async function publishTree(tree: string, folder: string, marker: CacheMarker): Promise<void> {
  if (readMarker(folder)) {
    for (const part of parts) await moveInto(join(tree, part), join(folder, part));
  } else {
    await rm(folder, { recursive: true, force: true });
    await makeFolder(dirname(folder));
    await rename(tree, folder);
  }
  await writeMarker(folder, marker);
}

async function moveInto(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  if (!existsSync(to)) {
    await makeFolder(dirname(to));
    return rename(from, to);
  }
  for (const name of await readdir(from))
    if (!existsSync(join(to, name))) await rename(join(from, name), join(to, name));
}
