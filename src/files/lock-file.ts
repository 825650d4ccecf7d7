/**
 * A file that says which process is at work somewhere. Its time is renewed while the owner lives, so that one left by a
 * killed process is taken over: at once when it ran on this machine, after a minute when it ran elsewhere (a shared
 * home folder) or when its number belongs to another process now.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname } from 'node:path';
import { isAlive } from './is-alive.js';
import { makeFolder } from './make-folder.js';
import { temporaryBeside } from './temporary-name.js';

export interface Owner {
  pid: number;
  host: string;
  /** tells two locks of one process apart */
  id: string;
}

export interface HeldLock {
  /** may be called twice */
  release(): Promise<void>;
}

const renewMs = 5_000;
const staleMs = 60_000;

/**
 * Takes the lock unless a living process has it. Folders on the way are made. @returns the lock, or who has it
 * @throws the file system's error
 */
export async function takeLock(path: string): Promise<HeldLock | { holder: Owner | undefined }> {
  await makeFolder(dirname(path));
  const owner: Owner = { pid: process.pid, host: os.hostname(), id: randomUUID() };
  for (;;) {
    try {
      await createWhole(path, JSON.stringify(owner));
      return held(path, owner);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
    if (!(await isAbandoned(path))) return { holder: await readOwner(path) };
    await breakLock(path);
  }
}

/**
 * The lock has its name once its words are in it: one that a full disk or a kill left without them would say nothing
 * of its owner, and hold up everybody. Some file systems have no links. @throws EEXIST, the file system's errors
 */
async function createWhole(path: string, words: string): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeFile(temporary, words, { flag: 'wx' });
    await link(temporary, path).catch(async (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'EEXIST') throw thrown;
      await createInPlace(path, words);
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function createInPlace(path: string, words: string): Promise<void> {
  try {
    await writeFile(path, words, { flag: 'wx' });
  } catch (thrown) {
    // Ours, without its words.
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') await rm(path, { force: true });
    throw thrown;
  }
}

function held(path: string, owner: Owner): HeldLock {
  const renewal = setInterval(() => {
    const now = new Date();
    // a failed renewal only makes the lock look older
    utimes(path, now, now).catch(() => {});
  }, renewMs);
  renewal.unref();
  return {
    release: async () => {
      clearInterval(renewal);
      if ((await readOwner(path))?.id === owner.id) await rm(path, { force: true });
    },
  };
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
  // where there are no links the file is empty between its creation and its first byte
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

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}
