/**
 * One process at a time works on a folder; the others wait. The lock is a file beside the folder with its
 * owner in it. Its time is renewed while the owner lives, so a lock left by a killed process is taken over:
 * at once when it ran on this machine, after a minute when it ran elsewhere (a shared home folder).
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './make-folder.js';

interface Owner {
  pid: number;
  host: string;
  /** tells two locks of one process apart */
  id: string;
}

const renewMs = 5_000;
const staleMs = 60_000;
const pollMs = 300;

/** Runs `work` under the lock of `folder`. Throws what `work` throws, or the error of creating the lock file. */
export async function withFolderLock<T>(
  folder: string,
  log: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const path = `${folder}.lock`;
  await makeFolder(dirname(folder));
  const owner: Owner = { pid: process.pid, host: os.hostname(), id: randomUUID() };
  await acquire(path, owner, log);
  const renewal = setInterval(() => {
    const now = new Date();
    // a failed renewal only makes the lock look older
    utimes(path, now, now).catch(() => {});
  }, renewMs);
  renewal.unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    if ((await readOwner(path))?.id === owner.id) await rm(path, { force: true });
  }
}

async function acquire(path: string, owner: Owner, log: (line: string) => void): Promise<void> {
  for (let told = false; ; ) {
    try {
      await writeFile(path, JSON.stringify(owner), { flag: 'wx' });
      return;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
    if (await isAbandoned(path)) {
      await breakLock(path);
      continue;
    }
    if (!told) {
      const holder = await readOwner(path);
      log(
        `waiting for process ${holder?.pid ?? '?'} on ${holder?.host ?? '?'}, which is fetching the same (${path})`,
      );
      told = true;
    }
    await sleep(pollMs);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  let ageMs: number;
  try {
    ageMs = Date.now() - (await stat(path)).mtimeMs;
  } catch {
    // released in this moment: the next attempt to create it decides
    return false;
  }
  if (ageMs > staleMs) return true;
  const owner = await readOwner(path);
  // between its creation and its first byte the file is empty
  if (!owner) return ageMs > 2 * renewMs;
  return owner.host === os.hostname() && !isAlive(owner.pid);
}

/** Renaming has one winner, so two waiters never remove each other's new lock. */
async function breakLock(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    // another waiter was faster
    return;
  }
  await rm(aside, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}
