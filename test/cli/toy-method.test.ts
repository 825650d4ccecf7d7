/** A method that lives in test/ alone goes through command line, library, training, cache and report. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craneNative, type Finished, lines, root, run } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

let scratch: string;
let model: string;
let toyModel: string;
let data: string;
const at = (...parts: string[]) => join(scratch, ...parts);
const picture = () => join(data, 'part', 'test', 'square', '1.png');

/** The addon of the tests stands in a folder of its own, with what the product's addon has beside it. */
async function toyAddon(): Promise<string> {
  await mkdir(at('addon'));
  const built = join(root, 'build', 'Release');
  for (const name of ['crane_loader.node', 'crane_engine.json'])
    await copyFile(join(built, name), at('addon', name));
  await copyFile(join(root, 'build', 'toy', 'crane_engine.node'), at('addon', 'crane_engine.node'));
  return at('addon');
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane toy-'));
  await toyAddon();
  model = await makeTinyModel(at('model'));
  data = await makeNoiseSet(at('noise'), 6);
  toyModel = await makeTinyModel(at('toy model'));
  const json = JSON.parse(await readFile(join(toyModel, 'model.json'), 'utf8'));
  const method = { name: 'toy', toyScale: 1, imageScore: 'average', sigma: 1 };
  await writeFile(join(toyModel, 'model.json'), JSON.stringify({ ...json, name: 'toy-model', method }));
}, 120_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const withToy = (args: string[]): Promise<Finished> =>
  run(process.execPath, [join(root, 'test', 'methods', 'crane-native-toy.mjs'), ...args], {
    env: { CRANE_ADDON: at('addon') },
  });
const scoreOf = (finished: Finished) => {
  expect(finished).toMatchObject({ code: 0 });
  return lines(finished)[0] as { score: number; model: string };
};

describe('score --method toy', () => {
  const score = (...more: string[]) => withToy(['score', picture(), '--format', 'jsonl', ...more]);

  it('has its own settings, parts and range', async () => {
    const one = scoreOf(await score('--model', model, '--method', 'toy'));
    const two = scoreOf(await score('--model', model, '--method', 'toy', '--toy-scale', '40'));
    const average = scoreOf(await score('--model', model, '--method', 'toy', '--image-score', 'average'));
    expect(one.score).toBeGreaterThan(0);
    expect(two.score).toBeCloseTo(40 * one.score, 4);
    expect(two.score).toBeGreaterThan(1);
    expect(average.score).toBeLessThan(one.score);
    expect(new Set([one.model, two.model, average.model]).size).toBe(3);
  }, 120_000);

  it('is not Crane, whose scores the second method does not move', async () => {
    const beside = scoreOf(await score('--model', model));
    const alone = scoreOf(await craneNative(['score', picture(), '--model', model, '--format', 'jsonl']));
    expect(beside).toMatchObject({ score: alone.score, model: alone.model });
  }, 60_000);

  it('writes maps', async () => {
    await score('--model', toyModel, '--maps', 'npy', '--out', at('scored'));
    const written = await readdir(at('scored'), { recursive: true });
    expect(written.some((name) => name.endsWith('.npy'))).toBe(true);
  }, 60_000);
});

it('the library takes it, and refuses what is not its own', async () => {
  const script = join(root, 'test', 'methods', 'library.mjs');
  const finished = await run(process.execPath, [script, model, picture(), picture()], {
    env: { CRANE_ADDON: at('addon') },
  });
  expect(finished).toMatchObject({ code: 0 });
  const { scores, refusals } = JSON.parse(finished.stdout);
  expect(scores[0]).toBeGreaterThan(0);
  expect(scores[1]).toBe(scores[0]);
  expect(refusals).toEqual(['E_USAGE', 'E_USAGE', 'E_USAGE', 'E_USAGE']);
}, 60_000);

it('learns, keeps features, and goes on', async () => {
  const args = [
    'train',
    data,
    '--model',
    toyModel,
    '--cache',
    at('cache'),
    '--epochs',
    '2',
    '--batch-size',
    '3',
  ];
  const first = await withToy([...args, '--out', at('learned')]);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toContain('computing the features of 6 pictures');
  const again = await withToy([...args, '--out', at('again')]);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stderr).not.toContain('computing the features');
  const bytes = (out: string) => readFile(at(out, 'prompts.safetensors'));
  expect(await bytes('again')).toEqual(await bytes('learned'));
  const more = await withToy([
    ...args.slice(0, -4),
    '--epochs',
    '3',
    '--batch-size',
    '3',
    '--out',
    at('again'),
    '--resume',
  ]);
  expect(more).toMatchObject({ code: 0 });
  expect(await bytes('again')).not.toEqual(await bytes('learned'));
}, 120_000);

it('is tested and reported', async () => {
  const finished = await withToy([
    'test',
    data,
    '--model',
    toyModel,
    '--out',
    at('tested'),
    '--bootstrap',
    '10',
  ]);
  expect(finished).toMatchObject({ code: 0 });
  const report = await readFile(at('tested', 'report.html'), 'utf8');
  expect(report).toContain('toyScale');
}, 120_000);

describe('a build for users', () => {
  it('has no such method: neither the command line nor the addon', async () => {
    const named = await craneNative(['score', picture(), '--model', model, '--method', 'toy']);
    expect(named.code).toBe(2);
    const described = await craneNative(['score', picture(), '--model', toyModel]);
    expect(described).toMatchObject({ code: 4, stderr: expect.stringContaining('there is no method "toy"') });
    const native = await run(process.execPath, [
      join(root, 'test', 'methods', 'crane-native-toy.mjs'),
      ...['score', picture(), '--model', model, '--method', 'toy'],
    ]);
    expect(native).toMatchObject({ code: 4, stderr: expect.stringContaining('E_METHOD') });
  }, 60_000);
});
