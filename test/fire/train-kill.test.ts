/**
 * kill -9 at many moments of a training: while features, checkpoints, states and records are written. What is gone
 * on with must end in the bytes of a run that was left alone, and no file may be half-written under its name.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { craneNative, inScratch, root } from '../cli/crane-native.js';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';
import { isFull } from './faults.js';

/**
 * When to kill: after a time since the run began, or at the n-th call that writes, syncs or renames a file under its
 * temporary name (of a write, half is done), of all files or of those whose path has `name` in it.
 */
type Moment = { afterShare: number } | { atCall: number; name?: string };

/** What is written, by kindOf, and by what its path is told: the second file of the cache is the first with features. */
const k_written = [
  { kind: 'features', name: ' cache/', before: 3 },
  { kind: 'epoch_', name: 'epoch_', before: 0 },
  { kind: 'state', name: 'state.safetensors', before: 0 },
  { kind: 'run', name: 'run.json', before: 3 },
];
/** A file is written, synced and renamed: each of that of each kind, and two times by the clock. */
const few: readonly Moment[][] = [1, 2, 3].map((step) => [
  ...k_written.map(({ name, before }) => ({ atCall: before + step, name })),
  { afterShare: 0.2 * step },
]);

const k_kills = isFull ? 56 : few.flat().length;

/** By chance, the same ones in every run: over all calls, and over six tenths of the time; eight of a run before it is let finish. */
function* byChance(calls: number): Generator<Moment[]> {
  const random = numbersFrom(2026);
  for (;;)
    yield Array.from({ length: 8 }, (_, kill) =>
      kill % 2 === 0 ? { atCall: 1 + Math.floor(random() ** 2 * calls) } : { afterShare: random() * 0.6 },
    );
}

interface Place {
  out: string;
  cache: string;
}

/** @returns a library that kills a process that loads it, see kill-at-call.cpp */
async function buildKiller(): Promise<string> {
  // LD_PRELOAD separates by spaces.
  const folder = await mkdtemp(join(tmpdir(), 'crane-killer-'));
  const library = join(folder, 'kill-at-call.so');
  const source = join(root, 'test', 'fire', 'kill-at-call.cpp');
  execFileSync(process.env['CXX'] ?? 'c++', [
    '-std=c++20',
    '-shared',
    '-fPIC',
    source,
    '-o',
    library,
    '-ldl',
  ]);
  return library;
}

describe('kill -9', () => {
  it(`at ${k_kills} moments: the bytes in the end are those of an uninterrupted run`, async () => {
    await inScratch(async (scratch) => {
      const model = await makeTinyModel(join(scratch, 'model'));
      const data = await makeNoiseSet(join(scratch, 'noise'), 4);
      const placeOf = (name: string): Place => ({
        out: join(scratch, name),
        cache: join(scratch, `${name} cache`),
      });
      const args = ({ out, cache }: Place) => [
        ...['train', data, '--model', model, '--out', out, '--cache', cache, '--resume'],
        ...['--batch-size', '2', '--epochs', '8', '--save-every', '1', '--threads', '1'],
      ];

      const killer = await buildKiller();
      const log = join(scratch, 'calls');
      const whole = placeOf('whole');
      const lastsMs = await durationOf(args(whole), { LD_PRELOAD: killer, CRANE_KILL_LOG: log });
      const calls = (await readFile(log)).length;
      const expected = await bytesOf(whole);
      expect(Object.keys(expected)).toHaveLength(8 + 2 + 4 + 1);

      const seen = { killed: 0, atCall: 0, writing: 0, files: new Set<string>() };
      let round = 0;
      for (const moments of isFull ? byChance(calls) : few) {
        const place = placeOf(`round ${round++}`);
        for (const moment of moments) {
          const killed = await killAt(args(place), killer, moment, lastsMs);
          if (!killed) break;
          seen.killed++;
          if ('atCall' in moment) seen.atCall++;
          const left = await temporaryFiles(place);
          if (left.length > 0) seen.writing++;
          for (const name of left) seen.files.add(kindOf(name));
          await checkFiles(place);
        }
        const finished = await craneNative(args(place));
        expect(finished.stderr + finished.code).toMatch(/0$/);
        const got = await bytesOf(place);
        expect(Object.keys(got)).toEqual(Object.keys(expected));
        for (const [name, bytes] of Object.entries(got)) expect(bytes === expected[name], name).toBe(true);
        expect((await readdir(place.out)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        if (seen.killed >= k_kills) break;
      }
      // Each of these left a file half-written; by time alone few do.
      expect(seen.writing).toBeGreaterThanOrEqual(seen.atCall);
      expect(seen.atCall).toBeGreaterThanOrEqual(isFull ? k_kills / 4 : few.length * k_written.length);
      for (const kind of ['features', 'epoch_', 'state', 'run']) expect([...seen.files]).toContain(kind);
      await rm(dirname(killer), { recursive: true });
      console.log(
        `${seen.killed} kills, ${seen.writing} of them while a file was written: ${[...seen.files].sort().join(', ')}`,
      );
    });
  }, 1_800_000);
});

/** Runs until the moment, then kills. @returns whether it was still running */
function killAt(args: string[], killer: string, moment: Moment, lastsMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const preloaded =
      'atCall' in moment
        ? {
            LD_PRELOAD: killer,
            CRANE_KILL_AT: String(moment.atCall),
            ...(moment.name === undefined ? {} : { CRANE_KILL_NAME: moment.name }),
          }
        : {};
    const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...preloaded },
    });
    let timer: NodeJS.Timeout | undefined;
    child.stderr.on('data', () => {
      // The first words come when everything is loaded.
      if ('afterShare' in moment)
        timer ??= setTimeout(() => child.kill('SIGKILL'), moment.afterShare * lastsMs);
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      clearTimeout(timer);
      resolve(signal === 'SIGKILL');
    });
  });
}

async function durationOf(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const from = performance.now();
  const run = await craneNative(args, { env, alone: true });
  expect(run.stderr + run.code).toMatch(/0$/);
  return performance.now() - from;
}

/** Every file whose bytes must not depend on time or interruptions. */
async function bytesOf({ out, cache }: Place): Promise<Record<string, string>> {
  const files = (await filesIn([out, cache])).filter((path) => /\.(pth|safetensors)$|key\.json$/.test(path));
  const read = await Promise.all(
    files.sort().map(async (path) => [basename(path), await readFile(path, 'hex')]),
  );
  return Object.fromEntries(read) as Record<string, string>;
}

/** A file has its name only when it is whole. */
async function checkFiles({ out, cache }: Place): Promise<void> {
  const { addon } = await loadAddon();
  for (const path of await filesIn([out, cache])) {
    if (path.endsWith('.json')) JSON.parse(await readFile(path, 'utf8'));
    if (path.endsWith('.html')) expect(await readFile(path, 'utf8')).toMatch(/<\/html>\n$/);
    if (!/\.(pth|safetensors)$/.test(path)) continue;
    const { tensors } = await addon.inspectWeights(path);
    for (const { name } of tensors) await addon.readTensor(path, name);
  }
}

async function temporaryFiles({ out, cache }: Place): Promise<string[]> {
  return (await filesIn([out, cache])).filter((path) => path.endsWith('.tmp')).map((path) => basename(path));
}

async function filesIn(folders: string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return found.flat();
}

function kindOf(name: string): string {
  return /[0-9a-f]{64}/.test(name)
    ? 'features'
    : name.replace(/^\./, '').replace(/\d+/g, '').replace(/\..*/, '');
}

/** From 0 to below 1, the same ones in every run of the test (a linear congruential generator). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
