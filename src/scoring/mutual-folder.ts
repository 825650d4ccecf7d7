/**
 * Where the patches of pictures lie that are scored by each other: with the results, so that a run that was ended goes on; else in
 * the cache folder, until the run ends.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../files/cache-folder.js';
import { takeLock } from '../files/lock-file.js';
import { refuseResults, resultsName } from '../sinks/results-file.js';
import { isRemote } from '../stores/open-store.js';

const k_inOut = 'mutual-state';
const k_inCache = 'mutual';

export interface MutualFolder {
  path: string;
  /** isDone: nobody goes on with it */
  close(isDone: boolean): Promise<void>;
}

interface Place {
  out?: string | undefined;
  resume: boolean;
  force: boolean;
}

/** @throws CraneError E_EXISTS where results are that nobody said what to do with, before anything is learned; E_IO_WRITE */
export async function openMutualFolder(
  { out, resume, force }: Place,
  env: NodeJS.ProcessEnv,
): Promise<MutualFolder> {
  if (out === undefined || isRemote(out)) return ofThisRun(join(await cacheFolder(env), k_inCache));
  if (!resume && !force) await refuseResults(join(out, resultsName(undefined)));
  const path = join(out, k_inOut);
  const close = async (isDone: boolean) => {
    if (isDone) await rm(path, { recursive: true, force: true });
  };
  return { path, close };
}

async function ofThisRun(folder: string): Promise<MutualFolder> {
  await sweep(folder);
  const path = join(folder, randomBytes(8).toString('hex'));
  const lock = await takeLock(`${path}.lock`);
  const close = async () => {
    await rm(path, { recursive: true, force: true });
    if ('release' in lock) await lock.release();
  };
  return { path, close };
}

/** Of killed runs. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.lock'))) {
    const lock = await takeLock(join(folder, name)).catch(() => undefined);
    if (lock === undefined || 'holder' in lock) continue;
    await rm(join(folder, name.slice(0, -'.lock'.length)), { recursive: true, force: true });
    await lock.release();
  }
}
