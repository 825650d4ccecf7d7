/**
 * kill -9 at many moments of a training: while features, checkpoints, states and records are written. What is gone
 * on with must end in the bytes of a run that was left alone, and no file may be half-written under its name.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../dist/engine/load-addon.js';
import { craneNative, inScratch, root } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

const k_kills = 56;
/** A run is gone on with so often before it is let finish. */
const k_killsOfOneRun = 8;

interface Place {
  out: string;
  cache: string;
}

/** When to kill: after a time since the run began, or when the n-th file is being written. */
type Moment = { afterMs: number } | { atFile: number };

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

      const whole = placeOf('whole');
      const lastsMs = await durationOf(args(whole));
      const expected = await bytesOf(whole);
      expect(Object.keys(expected)).toHaveLength(8 + 2 + 4 + 1);

      const random = numbersFrom(2026);
      const seen = { killed: 0, writing: 0, files: new Set<string>() };
      for (let round = 0; seen.killed < k_kills; round++) {
        const place = placeOf(`round ${round}`);
        for (let kill = 0; kill < k_killsOfOneRun; kill++) {
          const moment: Moment =
            kill % 2 === 0
              ? { atFile: 1 + Math.floor(random() * 12) }
              : { afterMs: random() * lastsMs * 0.6 };
          const killed = await killAt(args(place), place, moment);
          if (!killed) break;
          seen.killed++;
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
      }
      // Of these moments many lay within writing, and within writing every kind of file.
      expect(seen.writing).toBeGreaterThan(k_kills / 8);
      console.log(
        `${seen.killed} kills, ${seen.writing} of them while a file was written: ${[...seen.files].sort().join(', ')}`,
      );
    });
  }, 600_000);
});

/** Runs until the moment, then kills. @returns whether it was still running */
function killAt(args: string[], { out, cache }: Place, moment: Moment): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const kill = () => child.kill('SIGKILL');
    mkdirSync(out, { recursive: true });
    mkdirSync(cache, { recursive: true });
    let files = 0;
    const onFile = (_event: string, name: string | null) => {
      if (name?.endsWith('.tmp') && 'atFile' in moment && ++files === moment.atFile) kill();
    };
    const watchers = [out, cache].map((folder) => watch(folder, { recursive: true }, onFile));
    let timer: NodeJS.Timeout | undefined;
    child.stderr.on('data', () => {
      // The first words come when everything is loaded.
      if ('afterMs' in moment) timer ??= setTimeout(kill, moment.afterMs);
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      resolve(signal === 'SIGKILL');
    });
  });
}

async function durationOf(args: string[]): Promise<number> {
  const from = performance.now();
  const run = await craneNative(args);
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
