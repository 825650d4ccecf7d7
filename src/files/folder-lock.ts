/** One process at a time works on a folder: the others wait for it, or are refused. */
import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfCancelled } from '../cancellation.js';
import { CraneError } from '../errors.js';
import { type HeldLock, takeLock } from './lock-file.js';

const pollMs = 300;

/** A wait for another process: it is said, and ends when the signal fires. */
export interface LockWait {
  log: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Runs `work` under the lock of `folder`, a file beside it; waits for whoever has it. Throws what `work` throws, E_CANCELLED, or the
 * error of creating the lock file.
 */
export async function withFolderLock<T>(
  folder: string,
  waiting: LockWait,
  work: () => Promise<T>,
): Promise<T> {
  const path = `${folder}.lock`;
  const lock = await waitFor(path, waiting);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function waitFor(path: string, { log, signal }: LockWait): Promise<HeldLock> {
  for (let told = false; ; told = true) {
    const taken = await takeLock(path);
    if (!('holder' in taken)) return taken;
    const { pid = '?', host = '?' } = taken.holder ?? {};
    if (!told) log(`waiting for process ${pid} on ${host}, which is at work on the same (${path})`);
    throwIfCancelled(signal);
    await sleep(pollMs);
  }
}

/**
 * Takes an output for this process, by the lock file `path`. place: what is taken, for messages; option: where it came from.
 * @throws CraneError E_IN_USE when a living process has it; the file system's error where the lock cannot be written
 */
export async function claim(place: string, path: string, option = '--out'): Promise<HeldLock> {
  const taken = await takeLock(path);
  if (!('holder' in taken)) return taken;
  const { pid = '?', host = '?' } = taken.holder ?? {};
  throw new CraneError('E_IN_USE', `${place}: process ${pid} on ${host} is at work there`, {
    hint: `wait for it, end it, or choose another ${option}; if there is no such process, remove ${path}`,
  });
}

/** As claim, for a whole folder, by a file `.lock` in it. Giving it back leaves no empty folder behind. */
export async function claimFolder(folder: string): Promise<HeldLock> {
  const path = join(folder, '.lock');
  const lock = await claim(folder, path);
  return {
    release: async () => {
      await lock.release();
      // Fails where anything is in it, which is as it should be.
      await rmdir(dirname(path)).catch(() => {});
    },
  };
}
