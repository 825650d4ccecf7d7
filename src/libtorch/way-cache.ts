/** Way 2: what an earlier fetch left in the cache folder. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import type { Attempt } from './attempt.js';
import { libtorchCacheFolder } from './cache-folder.js';
import { readMarker } from './cache-marker.js';
import { judgeRoot, type Wanted } from './root.js';
import type { LibtorchVariant } from './version.js';

export async function fromCache(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): Promise<Attempt> {
  const miss = (cause: string): Attempt => ({
    missed: {
      way: 'cache',
      cause,
      repair: 'npx crane-native build --fetch (CRANE_CACHE moves the folder)',
    },
  });
  let folder: string;
  try {
    folder = await libtorchCacheFolder(wanted.variant, env);
  } catch (thrown) {
    if (thrown instanceof CraneError) return miss(thrown.message);
    throw thrown;
  }
  if (!existsSync(folder)) return miss(`${folder} does not exist`);
  if (!readMarker(folder)) return miss(`${folder} is not complete: its fetch was interrupted`);
  const judgement = judgeRoot(join(folder, 'torch'), wanted);
  if (judgement.fits) return { found: { ...judgement.root, way: 'cache', through: folder } };
  return miss(judgement.reason);
}

/** Removes a cached libtorch, complete or not, so that the next search fetches it afresh. */
export async function dropCached(
  variant: LibtorchVariant,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const folder = await libtorchCacheFolder(variant, env);
  for (const path of [folder, `${folder}.part`]) await rm(path, { recursive: true, force: true });
}
