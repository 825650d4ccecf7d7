/** WinCLIP as a user meets it, on crane-mini's towers; its figures mean nothing there. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craneNative as craneNativeIn, lines, root } from './crane-native.js';
import { makeNoiseSet } from './tiny-model.js';
import { makeToyBackbone } from './toy-backbone.js';

let scratch: string;
let model: string;
let data: string;
const picture = join(root, 'models', 'crane-mini', 'samples', 'bsdata-pitting-p00.jpg');

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane winclip-'));
  model = await makeToyBackbone(join(scratch, 'model'));
  data = await makeNoiseSet(join(scratch, 'noise'), 4);
}, 120_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

// A cache of its own: a memory that is found there was learned here.
const craneNative = (args: string[]) => craneNativeIn(args, { env: { CRANE_CACHE: join(scratch, 'cache') } });

const score = (...more: string[]) =>
  craneNative([
    'score',
    picture,
    '--model',
    model,
    '--method',
    'winclip',
    '--size',
    '112',
    '--format',
    'jsonl',
    ...more,
  ]);

describe('score --method winclip', () => {
  it('scores what the class name says', async () => {
    const scores = [];
    for (const name of ['bottle', 'carpet', 'bottle']) {
      const finished = await score('--class-name', name);
      expect(finished).toMatchObject({ code: 0 });
      scores.push((lines(finished)[0] as { score: number }).score);
    }
    const [bottle, carpet, again] = scores as [number, number, number];
    expect(bottle).toBeGreaterThanOrEqual(0);
    expect(bottle).toBeLessThanOrEqual(0.5);
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

describe('score --method winclip --normals-from', () => {
  const good = join(root, 'models', 'crane-mini', 'samples', 'bsdata-good-g00.jpg');

  it('compares with normal pictures too, alike each time', async () => {
    const plain = lines(await score('--class-name', 'bottle'))[0] as { score: number; model: string };
    const few = [];
    for (const from of [good, good, picture]) {
      const finished = await score('--class-name', 'bottle', '--normals-from', from);
      expect(finished).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('memory of 1 normal picture'),
      });
      few.push(lines(finished)[0] as { score: number; model: string });
    }
    const [first, again, itself] = few;
    expect(again).toMatchObject({ score: first!.score, model: first!.model });
    expect(first!.model).not.toBe(plain.model);
    expect(itself!.model).not.toBe(first!.model);
    // Every window but the first of side 3 finds itself.
    expect(itself!.score).toBeLessThan(first!.score);
    expect(first!.score).toBeLessThanOrEqual(0.5);
  }, 240_000);

  it('has a file of its own, with the same scores', async () => {
    const file = join(scratch, 'part.winclip.safetensors');
    const learned = await craneNative([
      ...['normals', 'learn', good, '--model', model, '--method', 'winclip', '--size', '112', '--out', file],
    ]);
    expect(learned).toMatchObject({ code: 0, stderr: expect.stringContaining('a memory of 1 normal') });
    const scores = [];
    for (const given of [['--normals-from', good], ['--normals', file], []]) {
      const finished = await score('--class-name', 'bottle', ...given);
      expect(finished).toMatchObject({ code: 0 });
      const { score: value, model: label } = lines(finished)[0] as { score: number; model: string };
      scores.push({ value, label });
    }
    expect(scores[1]).toEqual(scores[0]);
    expect(scores[2]).not.toEqual(scores[0]);

    const damaged = join(scratch, 'damaged.safetensors');
    const bytes = await readFile(file);
    bytes[bytes.length - 7]! ^= 1;
    await writeFile(damaged, bytes);
    const refused = await score('--class-name', 'bottle', '--normals', damaged);
    expect(refused).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('E_NORMALS') });
  }, 240_000);

  it.each([
    [['--turns', '3'], 'turns says how a bank of method normals is learned'],
    [['--false-alarm-rate', '0.2'], 'needs own scores'],
    [['--fit', 'tile'], 'stretched'],
  ])(
    'refuses %j',
    async (more, message) => {
      const refused = await score('--class-name', 'bottle', '--normals-from', good, ...more);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    },
    120_000,
  );

  it('is calibrated, for these normal pictures and no others', async () => {
    const calibrated = join(scratch, 'calibrated');
    const named = ['--method', 'winclip', '--class-name', 'part', '--size', '56'];
    const from = (file: string) => ['--normals-from', file];
    const made = await craneNative([
      ...['calibrate', data, '--model', model, ...named, ...from(good), '--out', calibrated],
    ]);
    expect(made).toMatchObject({ code: 0 });
    const thresholds = [];
    for (const more of [from(good), from(picture), []]) {
      const finished = await craneNative([
        ...['score', picture, '--model', calibrated, ...named, '--format', 'jsonl', ...more],
      ]);
      thresholds.push((lines(finished)[0] as { threshold: number | null }).threshold);
    }
    expect(thresholds).toEqual([expect.any(Number), null, null]);
    const both = await craneNative([
      ...['calibrate', data, '--model', model, ...named, ...from(good), '--normals', 'bank.safetensors'],
    ]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('does not go with --normals') });
  }, 240_000);

  it('is tested, with the pictures in the results, and by draws', async () => {
    const common = ['test', data, '--model', model, '--method', 'winclip', '--size', '56'];
    const out = join(scratch, 'few');
    const finished = await craneNative([
      ...[...common, '--normals-from', good, '--out', out, '--bootstrap', '10'],
    ]);
    expect(finished).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('compared with 1 normal picture'),
    });
    const results = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'));
    expect(results.settings.normals.pictures).toEqual([
      {
        name: good,
        sha256: createHash('sha256')
          .update(await readFile(good))
          .digest('hex'),
      },
    ]);
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('bsdata-good-g00.jpg (sha256');
    const drawn = await craneNative([
      ...[...common, '--normals-k-shot', '1', '--seeds', '2', '--out', join(scratch, 'shots')],
    ]);
    expect(drawn).toMatchObject({ code: 0, stdout: expect.stringContaining('the memory of method winclip') });
  }, 240_000);
});

it('test --method winclip names each class by its folder', async () => {
  const out = join(scratch, 'tested');
  const finished = await craneNative([
    ...['test', data, '--model', model, '--method', 'winclip', '--size', '112'],
    ...['--out', out, '--bootstrap', '10'],
  ]);
  expect(finished).toMatchObject({ code: 0 });
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('winclip');
}, 240_000);
