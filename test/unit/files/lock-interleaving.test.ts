/**
 * Whatever the order in which processes get their turns, and whoever is killed meanwhile, one at a time has a lock. The file system
 * is a model whose every call waits for its turn; the turns come by seeds.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { takeLock } from '../../../src/files/lock-file.js';

/** A process of the model. */
interface Actor {
  pid: number;
  isAlive: boolean;
  isDone: boolean;
  /** its call that waits for its turn */
  next: (() => void) | undefined;
}

const world = vi.hoisted(() => ({
  files: new Map<string, string>(),
  turn: async (): Promise<void> => {},
  isAlive: (_pid: number): boolean => true,
}));

vi.mock('../../../src/files/is-alive.js', () => ({ isAlive: (pid: number) => world.isAlive(pid) }));
vi.mock('../../../src/files/make-folder.js', () => ({ makeFolder: async () => {} }));
vi.mock('node:timers/promises', () => ({ setTimeout: () => world.turn() }));
vi.mock('node:fs/promises', () => {
  const { files } = world;
  const fault = (code: string) => Object.assign(new Error(code), { code });
  const take = (path: string): string => {
    const words = files.get(path);
    if (words === undefined) throw fault('ENOENT');
    return words;
  };
  const put = (path: string, words: string) => {
    if (files.has(path)) throw fault('EEXIST');
    files.set(path, words);
  };
  const calls: Record<string, (...given: string[]) => unknown> = {
    link: (from, to) => put(to!, take(from!)),
    writeFile: (path, words) => put(path!, words!),
    readFile: (path) => take(path!),
    rename: (from, to) => {
      files.set(to!, take(from!));
      files.delete(from!);
    },
    rm: (path) => files.delete(path!),
    lstat: (path) => ({ mtimeMs: take(path!) === '' ? 0 : Date.now() }),
    stat: (path) => ({ mtimeMs: take(path!) === '' ? 0 : Date.now() }),
    utimes: () => {},
  };
  const inTurn = Object.entries(calls).map(([name, call]) => [
    name,
    async (...given: string[]) => {
      await world.turn();
      return call(...given);
    },
  ]);
  return Object.fromEntries(inTurn);
});

const self = new AsyncLocalStorage<Actor>();
const ownPid = process.pid;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  world.turn = () =>
    new Promise((resolve) => {
      self.getStore()!.next = resolve;
    });
  Object.defineProperty(process, 'pid', { configurable: true, get: () => self.getStore()?.pid ?? ownPid });
});
afterEach(() => {
  vi.useRealTimers();
  Object.defineProperty(process, 'pid', { configurable: true, value: ownPid });
});

/** Mulberry32. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const k_lock = '/folder/place.lock';
const rest = () => new Promise((resolve) => setImmediate(resolve));

interface Outcome {
  /** processes inside at once */
  most: number;
  /** how many had it */
  had: number;
  left: string[];
}

/** Processes that each take the lock, until they had it; so many of them are killed at some moment. */
async function play(seed: number, words: string, kills: number): Promise<Outcome> {
  const random = chance(seed);
  world.files.clear();
  world.files.set(k_lock, words);
  const actors: Actor[] = [1001, 1002, 1003, 1004].map((pid) => ({
    pid,
    isAlive: true,
    isDone: false,
    next: undefined,
  }));
  world.isAlive = (pid) => actors.some((actor) => actor.pid === pid && actor.isAlive);
  const inside = new Set<Actor>();
  let most = 0;
  let had = 0;
  const act = async (actor: Actor) => {
    for (;;) {
      const lock = await takeLock(k_lock);
      if ('holder' in lock) {
        await world.turn();
        continue;
      }
      inside.add(actor);
      had++;
      most = Math.max(most, [...inside].filter(({ isAlive }) => isAlive).length);
      await world.turn();
      inside.delete(actor);
      await lock.release();
      actor.isDone = true;
      return;
    }
  };
  for (const actor of actors) void self.run(actor, () => act(actor));
  const killAt = new Set(Array.from({ length: kills }, () => random(60)));
  for (let step = 0; ; step++) {
    await rest();
    const ready = actors.filter(({ isAlive, next }) => isAlive && next);
    if (ready.length === 0) break;
    if (step > 5000) throw new Error(`seed ${seed}: it never ends`);
    const actor = ready[random(ready.length)]!;
    if (killAt.has(step) && ready.length > 1) {
      actor.isAlive = false;
      continue;
    }
    const go = actor.next!;
    actor.next = undefined;
    go();
  }
  expect(actors.every(({ isAlive, isDone }) => isDone || !isAlive)).toBe(true);
  return { most, had, left: [...world.files.keys()].filter((path) => !path.endsWith('.tmp')) };
}

const dead = JSON.stringify({ pid: 999, host: (await import('node:os')).hostname(), id: 'dead' });

it.each([
  ['that a killed process left', dead],
  ['without words', ''],
])('a lock %s has one owner at a time, in every order of turns', async (_name, words) => {
  for (let seed = 0; seed < 1500; seed++)
    expect(await play(seed, words, 0), `seed ${seed}`).toEqual({ most: 1, had: 4, left: [] });
});

it('a lock has one owner at a time though its breakers are killed', async () => {
  let killedInside = 0;
  for (let seed = 0; seed < 1500; seed++) {
    const { most, had, left } = await play(seed, dead, 2);
    expect(most, `seed ${seed}`).toBe(1);
    expect(had).toBeGreaterThan(1);
    if (left.length > 0) killedInside++;
  }
  expect(killedInside).toBeGreaterThan(0);
});
