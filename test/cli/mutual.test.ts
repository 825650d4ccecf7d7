/** Pictures scored by each other, with the built engine: killed while they are read and while they are compared. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../dist/index.js';
import { leave } from '../unit/files/left.js';
import { craneNative, root } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

let scratch: string;
let model: string;
let pictures: string;
const at = (...parts: string[]) => join(scratch, ...parts);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane mutual-'));
  model = await makeTinyModel(at('model'));
  pictures = join(await makeNoiseSet(at('noise'), 30), 'part', 'test');
}, 120_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const score = (out: string, ...more: string[]) => [
  ...['score', pictures, '--recursive', '--mutual', '--model', model, '--out', at(out)],
  ...['--maps', 'npy', '--no-timings', '--format', 'csv', ...more],
];

/** Of every file of the results. */
async function bytesIn(out: string): Promise<Record<string, string>> {
  const names = (await readdir(at(out), { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  );
  const found: Record<string, string> = {};
  for (const { parentPath, name } of names)
    found[join(parentPath, name).slice(at(out).length)] = (await readFile(join(parentPath, name))).toString(
      'base64',
    );
  return found;
}

/** Kills the run once `isThere` says so. */
async function killed(args: string[], isThere: () => Promise<boolean>): Promise<boolean> {
  const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], { stdio: 'ignore' });
  const watch = setInterval(async () => {
    if (await isThere().catch(() => false)) child.kill('SIGKILL');
  }, 1);
  const signal = await new Promise((resolve) => child.once('exit', (_, by) => resolve(by)));
  clearInterval(watch);
  return signal === 'SIGKILL';
}

describe('score --mutual', () => {
  it('goes on after kill -9 in reading and in comparing, to the same bytes', async () => {
    const whole = await craneNative(score('whole'));
    expect(whole.stderr).toContain('each of 30 pictures');
    expect(whole.code).toBe(0);
    const state = at('ended', 'mutual-state');
    const kept = async () =>
      (await readdir(state)).filter((name) => name.endsWith('.safetensors') && !name.startsWith('.')).length;
    const scored = async () =>
      (await readFile(at('ended', 'results.jsonl.partial'), 'utf8')).split('\n').length - 1;
    let kills = 0;
    for (const isThere of [
      async () => (await kept()) >= 2,
      async () => (await kept()) >= 16,
      async () => (await scored()) >= 1,
      async () => (await scored()) >= 12,
    ])
      if (await killed(score('ended', '--resume'), isThere)) kills++;
    expect(kills).toBeGreaterThanOrEqual(2);
    // As a kill between opening and renaming does, which is seldom hit.
    for (const name of ['a.map.npy', 'good/a.map.npy']) await leave(at('ended', name));
    const rest = await craneNative(score('ended', '--resume'));
    expect(rest.code).toBe(0);
    const [ended, left] = [await bytesIn('ended'), await bytesIn('whole')];
    expect(Object.keys(ended).sort()).toEqual(Object.keys(left).sort());
    expect(ended).toEqual(left);
    expect(Object.keys(left)).toHaveLength(32);
  }, 300_000);

  it('neither batch nor order nor threads decide a bit', async () => {
    const names = (await readdir(join(pictures, 'good'))).map((name) => join(pictures, 'good', name));
    const scores = async (source: string[], how: { batch?: number; threads?: number }) => {
      const engine = await loadEngine({ model, startCache: false, threads: how.threads ?? 0 });
      try {
        const found = new Map<string, number>();
        for await (const each of engine.scoreMutual(source, how.batch ? { batch: how.batch } : {}))
          found.set(each.input, 'score' in each ? each.score : Number.NaN);
        return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
      } finally {
        await engine.dispose();
      }
    };
    const plain = await scores(names, {});
    expect(plain).toHaveLength(15);
    expect(await scores([...names].reverse(), { batch: 7 })).toEqual(plain);
    expect(await scores(names, { threads: 1 })).toEqual(plain);
  }, 120_000);
});
