/**
 * A file that says which process is at work somewhere. Its time is renewed while the owner lives, so that one left by a
 * killed process is taken over: at once when it ran on this machine, after a minute and some seconds of watching when it ran
 * elsewhere (a shared home folder) or when its number belongs to another process now.
 */
import { createHash, randomUUID } from 'node:crypto';
import { link, lstat, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** How long a lock that looks forsaken is watched for its owner to renew it. */
const watchMs = 2 * renewMs;

/** How soon another breaker is looked for again. */
const breakMs = 20;

/** ids of the locks that this process has */
const ours = new Set<string>();

/**
 * Takes the lock unless a living process has it. Folders on the way are made. silenceMs: how long a lock that is old but whose owner
 * may live is watched. @returns the lock, or who has it
 * @throws the file system's error
 */
export async function takeLock(
  path: string,
  silenceMs = watchMs,
): Promise<HeldLock | { holder: Owner | undefined }> {
  await makeFolder(dirname(path));
  const owner: Owner = { pid: process.pid, host: os.hostname(), id: randomUUID() };
  for (;;) {
    try {
      await createWhole(path, JSON.stringify(owner));
      return held(path, owner);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
    const found = await look(path);
    if (found === undefined) continue;
    if (found.state === 'silent' && !(await staysSilent(path, found, silenceMs))) continue;
    if (found.state === 'held') return { holder: found.owner };
    await breakLock(path, found, silenceMs);
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
  ours.add(owner.id);
  const renewal = setInterval(() => {
    const now = new Date();
    // a failed renewal only makes the lock look older
    utimes(path, now, now).catch(() => {});
  }, renewMs);
  renewal.unref();
  return {
    release: async () => {
      clearInterval(renewal);
      if ((await readWords(path)) === JSON.stringify(owner)) await rm(path, { force: true });
      ours.delete(owner.id);
    },
  };
}

/** A lock that somebody has, or had. */
interface FoundLock {
  /** what its file holds; '' where that cannot be read */
  words: string;
  owner: Owner | undefined;
  mtimeMs: number;
  /** silent: its owner may live, and has not renewed it for long */
  state: 'held' | 'dead' | 'silent';
}

/** undefined: there is none any more */
async function look(path: string): Promise<FoundLock | undefined> {
  const mtimeMs = (await lstat(path).catch(() => undefined))?.mtimeMs;
  if (mtimeMs === undefined) return undefined;
  const words = await readWords(path);
  const owner = ownerIn(words);
  return { words, owner, mtimeMs, state: stateOf(owner, Date.now() - mtimeMs) };
}

function stateOf(owner: Owner | undefined, ageMs: number): FoundLock['state'] {
  // where there are no links the file is empty between its creation and its first byte
  if (owner === undefined) return ageMs > watchMs ? 'dead' : 'held';
  if (owner.host === os.hostname()) {
    if (!isAlive(owner.pid)) return 'dead';
    // In containers the number of a process that was killed is often our own.
    if (owner.pid === process.pid && !ours.has(owner.id) && ageMs > watchMs) return 'silent';
  }
  return ageMs > staleMs ? 'silent' : 'held';
}

/** After a machine slept every lock is old, and its owner renews it within moments; clocks of machines differ. */
async function staysSilent(path: string, { words, mtimeMs }: FoundLock, silenceMs: number): Promise<boolean> {
  await sleep(silenceMs);
  const now = await look(path);
  return now !== undefined && now.words === words && now.mtimeMs === mtimeMs;
}

/**
 * Whoever removes a lock that is not its own has the right to that very lock, which is a lock too, named by its words: between the look
 * and the removal nobody else can have removed it and made a new one. A killed breaker's right is broken in the same way.
 */
async function breakLock(path: string, { words }: FoundLock, silenceMs: number): Promise<void> {
  const name = createHash('sha256').update(words).digest('hex').slice(0, 16);
  const right = await takeLock(`${path}.${name}`, silenceMs);
  // The breaker is done in a moment, and then it or another one has the lock.
  if ('holder' in right) return sleep(breakMs);
  try {
    const now = await look(path);
    if (now?.words === words && now.state !== 'held') await rm(path, { force: true });
  } finally {
    await right.release();
  }
}

/** Takes away the right to break a lock that a killed process left, where the name is that of one: it keeps nobody out. @returns whether it was */
export async function removeLeftRight(folder: string, name: string): Promise<boolean> {
  if (!/\.lock(?:\.[0-9a-f]{16})+$/.test(name)) return false;
  const path = join(folder, name);
  if ((await look(path))?.state !== 'dead') return false;
  const taken = await takeLock(path).catch(() => undefined);
  if (taken === undefined || 'holder' in taken) return false;
  await taken.release();
  return true;
}

async function readWords(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function ownerIn(words: string): Owner | undefined {
  try {
    const { pid, host, id } = JSON.parse(words) as Partial<Owner>;
    if (typeof host === 'string' && typeof id === 'string' && Number.isSafeInteger(pid))
      return { pid: pid!, host, id };
  } catch {
    // of nobody
  }
  return undefined;
}
