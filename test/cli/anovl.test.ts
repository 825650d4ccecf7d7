/** AnoVL as a user meets it, on crane-mini's towers; its figures mean nothing there. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craneNative, lines, root } from './crane-native.js';
import { makeNoiseSet } from './tiny-model.js';
import { makeToyBackbone } from './toy-backbone.js';

let scratch: string;
let model: string;
let data: string;
const picture = join(root, 'models', 'crane-mini', 'samples', 'bsdata-pitting-p00.jpg');

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane anovl-'));
  model = await makeToyBackbone(join(scratch, 'model'));
  data = await makeNoiseSet(join(scratch, 'noise'), 4);
}, 120_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const score = (...more: string[]) =>
  craneNative([
    'score',
    picture,
    '--model',
    model,
    '--method',
    'anovl',
    '--size',
    '112',
    '--format',
    'jsonl',
    ...more,
  ]);

describe('score --method anovl', () => {
  it('scores what the class name says', async () => {
    const scores = [];
    for (const name of ['bottle', 'carpet', 'bottle']) {
      const finished = await score('--class-name', name);
      expect(finished).toMatchObject({ code: 0 });
      scores.push((lines(finished)[0] as { score: number }).score);
    }
    const [bottle, carpet, again] = scores as [number, number, number];
    expect(bottle).toBeGreaterThanOrEqual(0);
    expect(bottle).toBeLessThanOrEqual(1);
    expect(carpet).not.toBe(bottle);
    expect(again).toBe(bottle);
  }, 240_000);

  it('asks for the class name, and takes no prompts', async () => {
    const unnamed = await score();
    expect(unnamed.code).not.toBe(0);
    expect(unnamed.stdout + unnamed.stderr).toContain('--class-name');
    const prompts = join(model, 'prompts.safetensors');
    const finished = await score('--class-name', 'bottle', '--prompts', prompts);
    expect(finished).toMatchObject({ code: 2, stderr: expect.stringContaining('prompts') });
  }, 120_000);
});

it('test --method anovl names each class by its folder', async () => {
  const out = join(scratch, 'tested');
  const finished = await craneNative([
    ...['test', data, '--model', model, '--method', 'anovl', '--size', '112'],
    ...['--out', out, '--bootstrap', '10'],
  ]);
  expect(finished).toMatchObject({ code: 0 });
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('anovl');
}, 240_000);
