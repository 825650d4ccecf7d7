/**
 * AnomalyCLIP, VAND and AdaCLIP as a user meets them, from learning to a report, on crane-mini's towers; their figures mean
 * nothing there.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craneNative, lines } from './crane-native.js';
import { makeNoiseSet } from './tiny-model.js';
import { allowedGlobals, expectLoaded, globalsOf, hasPython, torchPython } from './torch-file.js';
import { makeToyBackbone } from './toy-backbone.js';

let scratch: string;
let model: string;
let data: string;
const at = (...parts: string[]) => join(scratch, ...parts);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane lernende-ä-'));
  model = await makeToyBackbone(at('model'));
  data = await makeNoiseSet(at('noise'), 4);
}, 120_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const cases = [
  {
    name: 'anomalyclip',
    method: ['--e-attn-layers', '6'],
    learning: ['--deep-blocks', '3'],
    named: [] as string[],
    levels: 3,
    group: 'prompt_learner',
  },
  {
    name: 'vand',
    method: [],
    learning: [],
    named: ['--class-name', 'part'],
    levels: 3,
    group: 'trainable_linearlayer',
  },
  { name: 'adaclip', method: [], learning: [], named: ['--class-name', 'part'], levels: 1, group: '' },
];

describe.each(cases)('--method $name', ({ name, method, learning, named, levels, group }) => {
  const common = () => [
    ...['--model', model, '--method', name, '--size', '112', '--features', '3,6,9'],
    ...method,
  ];
  const train = (out: string, ...more: string[]) =>
    craneNative([
      ...['train', data, ...common(), '--out', at(name, out), '--cache', at(name, 'cache')],
      ...['--epochs', '2', ...learning, ...more],
    ]);
  const score = (file: string, ...more: string[]) =>
    craneNative([
      ...['score', at('noise', 'part', 'test', 'square', '1.png'), ...common()],
      ...['--prompts', at(name, 'learned', file), '--format', 'jsonl', ...more],
    ]);

  it('learns, is scored from either file, and tested', async () => {
    const learned = await train('learned');
    expect(learned).toMatchObject({ code: 0 });
    const record = JSON.parse(await readFile(at(name, 'learned', 'run.json'), 'utf8'));
    expect(record.losses.total).toBeLessThan(record.epochs[0].losses.total);

    const scores = [];
    for (const file of ['prompts.safetensors', 'epoch_2.pth']) {
      const scored = await score(file, ...named);
      expect(scored).toMatchObject({ code: 0 });
      const [line] = lines(scored) as { score: number; mapMax?: number }[];
      scores.push(line!.score);
    }
    expect(scores[0]).toBeGreaterThanOrEqual(0);
    expect(scores[0]).toBeLessThanOrEqual(1);
    expect(scores[1]).toBe(scores[0]);

    const tested = await craneNative([
      ...['test', data, ...common(), '--prompts', at(name, 'learned', 'epoch_2.pth')],
      ...['--out', at(name, 'tested'), '--bootstrap', '10'],
    ]);
    expect(tested).toMatchObject({ code: 0 });
    expect(await readFile(at(name, 'tested', 'report.html'), 'utf8')).toContain(name);
  }, 600_000);

  it('writes a checkpoint whose pickle names nothing but tensors', async () => {
    const globals = await globalsOf(at(name, 'learned', 'epoch_2.pth'));
    expect([...globals].filter((each) => !allowedGlobals.includes(each))).toEqual([]);
    expect(globals).toContain('torch._utils._rebuild_tensor_v2');
  });

  it.skipIf(!hasPython)(
    'its checkpoint has the names of its authors, and what weights_only allows',
    async () => {
      const [file, ours] = ['epoch_2.pth', 'prompts.safetensors'].map((one) => at(name, 'learned', one));
      await expectLoaded('python', file!, ours!, group);
    },
  );

  it.skipIf(!torchPython)(
    'torch.load(weights_only=True) reads its checkpoint, under the names of its authors',
    async () => {
      await expectLoaded(
        'torch',
        at(name, 'learned', 'epoch_2.pth'),
        at(name, 'learned', 'prompts.safetensors'),
        group,
      );
    },
    120_000,
  );

  it('goes on bit for bit where it was stopped', async () => {
    expect(await train('half', '--epochs', '1')).toMatchObject({ code: 0 });
    const state = async (out: string) => readFile(at(name, out, 'epoch_1.pth'), 'hex');
    expect(await state('half')).toBe(await state('learned'));
  }, 300_000);

  it('says what is missing', async () => {
    const without = await craneNative([
      ...['score', at('noise', 'part', 'test', 'square', '1.png'), ...common(), ...named, '--prompts'],
      at('model', 'nothing.pth'),
    ]);
    expect(without.code).not.toBe(0);
    expect(without.stdout + without.stderr).toContain('nothing.pth');
    if (named.length === 0) return;
    const unnamed = await score('epoch_2.pth');
    expect(unnamed.code).not.toBe(0);
    expect(unnamed.stdout + unnamed.stderr).toContain('--class-name');
    // Crane's own prompts are no heads.
    const anothers = await craneNative([
      ...['score', at('noise', 'part', 'test', 'square', '1.png'), ...common(), ...named, '--prompts'],
      at('model', 'prompts.safetensors'),
    ]);
    expect(anothers.stdout + anothers.stderr).toContain('prompts.safetensors');
    expect(anothers.code).not.toBe(0);
  }, 300_000);

  it(`has maps from 0 to ${levels}`, async () => {
    const { findMethod, defaultMethod } = await import('../../dist/methods/registry.js');
    const settings = { ...defaultMethod(name), features: [3, 6, 9] };
    expect(findMethod(name).ranges(settings, false).map).toEqual([0, levels]);
  });
});

describe('--method vand --normals-from', () => {
  it('adds the distances of normal pictures, within the wider ranges', async () => {
    const args = (...more: string[]) => [
      ...['score', at('noise', 'part', 'test', 'square', '1.png'), '--model', model, '--method', 'vand'],
      ...['--size', '112', '--features', '3,6,9', '--class-name', 'part', '--format', 'jsonl'],
      ...['--prompts', at('vand', 'learned', 'epoch_2.pth'), ...more],
    ];
    const [plain] = lines(await craneNative(args())) as { score: number; model: string }[];
    const from = ['--normals-from', at('noise', 'part', 'test', 'good')];
    const finished = await craneNative(args(...from, '--map-threshold', '8.5', '--threshold', '1.9'));
    expect(finished).toMatchObject({ code: 0 });
    const [few] = lines(finished) as { score: number; model: string; anomalous: boolean }[];
    expect(few!.score).not.toBe(plain!.score);
    expect(few).toMatchObject({ anomalous: false });
    expect(few!.model).not.toBe(plain!.model);
    const without = await craneNative(args('--threshold', '1.9'));
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('0 to 1') });
  }, 240_000);
});
