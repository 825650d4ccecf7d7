/**
 * The same is the same bits: what a seed learns, however busy the machine; what a picture scores, whatever is asked for beside
 * it; what a bank of good pictures holds, however it came about. On models of toy size; CRANE_FIRE=full for all precisions.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../dist/addon/load-addon.js';
import type { NativeEngine } from '../../dist/addon/native.js';
import type { ScoreManyCallOptions } from '../../dist/engine/picture-item.js';
import {
  createTrainer,
  type Engine,
  type EngineOptions,
  type LearnNormalsOptions,
  loadEngine,
  type NormalBank,
  type TrainerOptions,
} from '../../dist/index.js';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';
import { makeToyBackbone } from '../cli/toy-backbone.js';
import { differing, everyWay, makePictures, plantedEngine, thresholdWithin } from './determinism.js';
import { bytesBelow, isFull } from './faults.js';

let scratch: string;
let tiny: string;
let toy: string;
let data: string;
let pictures: string[];
const at = (...parts: string[]) => join(scratch, ...parts);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane gleich-ä-'));
  tiny = await makeTinyModel(at('tiny'));
  toy = await makeToyBackbone(at('toy'));
  data = await makeNoiseSet(at('noise'), 8);
  pictures = await makePictures(scratch);
}, 120_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const load = (options: EngineOptions) => loadEngine({ threads: 2, startCache: false, ...options });

async function withEngine<T>(engine: Promise<Engine>, work: (engine: Engine) => Promise<T>): Promise<T> {
  const loaded = await engine;
  try {
    return await work(loaded);
  } finally {
    await loaded.dispose();
  }
}

const compared = (method: string, more: EngineOptions = {}): EngineOptions => ({
  ...{ model: toy, size: 56, method, features: [4, 6, 9] },
  ...(method === 'anomalyclip' ? { eAttnLayers: 6 } : { className: 'part' }),
  ...more,
});

/** In npm test -- --all; the others, whose texts are hundreds of sentences, are in the whole measure. */
const k_quick = [
  ...['crane', 'crane, by pixels', 'crane+', 'crane, tiled'],
  ...['rows', 'a subspace', 'chosen rows', 'things without background', 'float16', 'what prompts are beside'],
];
const isAsked = ([name]: readonly [string, ...unknown[]]) => isFull || k_quick.includes(name);

type Choices = Partial<TrainerOptions>;

/** Everything that a seed decides: order, first prompts, mosaics, which steps are guided, which pictures are taken. */
const drawing: Choices = {
  ...{ mosaicRate: 0.4, mosaicClasses: ['part'], portion: 0.8, guidanceProbability: 0.5 },
};
const learners: [string, () => EngineOptions, Choices][] = [
  ['crane', () => ({ model: tiny }), drawing],
  ['crane, by pixels', () => ({ model: tiny }), { upsampling: 'bilinear', order: 'reference' }],
  ['crane+', () => ({ model: toy, size: 56, features: [4, 6, 9], dAttn: true, eAttnLayers: 6 }), drawing],
  ['anomalyclip', () => compared('anomalyclip'), { deepBlocks: 3 }],
  ['vand', () => compared('vand'), {}],
  ['adaclip', () => compared('adaclip'), { batchSize: 1 }],
];

async function learn(engine: Engine, out: string, choices: Choices): Promise<Record<string, string>> {
  const places = { out: at(out), cache: at(`${out} cache`) };
  const trainer = await createTrainer({ engine, data, ...places, epochs: 2, batchSize: 3, ...choices });
  await trainer.run();
  return bytesBelow(at(out), (name) => /\.(pth|safetensors)$/.test(name));
}

/** Alone; while another engine scores; by an engine that has scored, from features that are there. */
async function thrice(name: string, options: EngineOptions, choices: Choices, from = load) {
  const files: Record<string, string>[] = [];
  files.push(await withEngine(from(options), (engine) => learn(engine, `${name} 1`, choices)));
  const busy = async (other: Engine) => {
    let isOver = false;
    const scoring = (async () => {
      while (!isOver) await other.score(pictures[0]!);
    })();
    try {
      return await withEngine(from(options), (engine) => learn(engine, `${name} 2`, choices));
    } finally {
      isOver = true;
      await scoring;
    }
  };
  files.push(await withEngine(load({ model: tiny }), busy));
  const after = async (engine: Engine) => {
    await learn(engine, `${name} 0`, { ...choices, seed: 7 });
    return learn(engine, `${name} 3`, { ...choices, cache: at(`${name} 1 cache`) });
  };
  files.push(await withEngine(from(options), after));
  return files;
}

describe('a seed learns the same bytes', () => {
  it.each(learners.filter(isAsked))(
    '%s',
    async (name, options, choices) => {
      const [first, ...others] = await thrice(name, options(), choices);
      expect(Object.keys(first!).sort()).toEqual([
        'epoch_1.pth',
        'epoch_2.pth',
        'prompts.safetensors',
        'state.safetensors',
      ]);
      for (const other of others) expect(other).toEqual(first);
      const another = await readFile(at(`${name} 0`, 'epoch_2.pth'), 'hex');
      if (name !== 'vand')
        expect(another === first!['epoch_2.pth'], 'another seed learns the same').toBe(false);
    },
    300_000,
  );

  it('one that begins with the clock is found', async () => {
    const from = (options: EngineOptions) =>
      plantedEngine(options, (native) => ({
        beginTraining: (start, ...rest) =>
          native.beginTraining(
            'seed' in start ? { ...start, seed: Number(process.hrtime.bigint() % 4096n) } : start,
            ...rest,
          ),
      }));
    const [first, second] = await thrice('clock', { model: tiny }, { epochs: 1 }, from);
    expect(second!['epoch_1.pth']).not.toBe(first!['epoch_1.pth']);
  }, 120_000);
});

const scorers: [string, () => EngineOptions, ScoreManyCallOptions?][] = [
  ['crane', () => ({ model: tiny })],
  ['crane, tiled', () => ({ model: tiny }), { fit: 'tile' }],
  ['crane+', () => ({ model: toy, size: 56, dAttn: true, eAttnLayers: 6 })],
  ['winclip', () => ({ model: toy, size: 56, method: 'winclip', className: 'nut' })],
  ['anovl', () => ({ model: toy, size: 56, method: 'anovl', className: 'nut' })],
  ...['vand', 'anomalyclip', 'adaclip'].map((method): [string, () => EngineOptions] => [
    method,
    () => compared(method, { prompts: at(`${method} 1`, 'prompts.safetensors') }),
  ]),
];

async function scoredEveryWay(engine: Engine, more: ScoreManyCallOptions = {}) {
  const mapThreshold = await thresholdWithin(engine, pictures, more);
  const options = { ...more, mapThreshold, map: true, regions: true };
  return { options, ways: await everyWay(engine, pictures, options) };
}

/** All of one engine, and of one whose threads have pictures of their own: of large models in every run that is lanes.test.ts. */
async function allWays(options: EngineOptions, more?: ScoreManyCallOptions) {
  const { options: asked, ways } = await withEngine(load(options), (engine) => scoredEveryWay(engine, more));
  if (!isFull && options.model !== tiny) return ways;
  const lanes = await withEngine(load({ ...options, parallel: 'pictures' }), (engine) =>
    everyWay(engine, pictures, asked),
  );
  for (const [name, found] of Object.entries(lanes)) ways[`pictures in parallel, ${name}`] = found;
  return ways;
}

/** Those that this CPU has. */
const { precisions } = await (await loadAddon()).addon.info();

describe.each(precisions.slice(0, isFull ? undefined : 1))(
  'a score, its map and regions in %s',
  (precision) => {
    it.each(scorers.filter(isAsked))(
      '%s',
      async (_name, options, more) => {
        const ways = await allWays({ ...options(), precision }, more);
        expect(Object.keys(ways).length).toBeGreaterThanOrEqual(11);
        expect(differing(ways)).toEqual([]);
        const [first] = Object.values(ways) as { regions: unknown[] }[][];
        expect(new Set(first!.map((each) => JSON.stringify(each))).size).toBe(pictures.length);
        expect(first!.reduce((sum, { regions }) => sum + regions.length, 0)).toBeGreaterThan(0);
      },
      900_000,
    );
  },
);

it('a score that depends on its place in a pass, or on its neighbours, is found', async () => {
  const place = (native: NativeEngine): Partial<NativeEngine> => ({
    score: async (...given) =>
      (await native.score(...given)).map((one, each) => ({ ...one, score: one.score + each * 2 ** -30 })),
  });
  const planted = await withEngine(plantedEngine({ model: tiny }, place), (engine) => scoredEveryWay(engine));
  expect(differing(planted.ways)).toContain('batches of 2');
  const coupled = { model: toy, size: 56, dAttn: true, eAttnLayers: 6, compat: { batchMean: true } };
  const { ways } = await withEngine(load(coupled), (engine) => scoredEveryWay(engine));
  expect(differing(ways)).toEqual(expect.arrayContaining(['batches of 7', 'shuffled, batches of 3']));
}, 120_000);

interface Kind {
  name: string;
  engine?: () => EngineOptions;
  learning?: LearnNormalsOptions;
  scoring?: ScoreManyCallOptions;
  /** which rows are chosen follows the order of equal ones, and nothing is added to such a bank */
  isOfChosen?: boolean;
}

const kinds: Kind[] = [
  { name: 'rows' },
  { name: 'mirrored copies of two blocks', learning: { turns: 2, mirror: true, bankBlocks: [1, 2] } },
  { name: 'a subspace', learning: { turns: 2, bankKind: 'subspace' } },
  { name: 'chosen rows', learning: { turns: 2, bankSize: 20 }, isOfChosen: true },
  { name: 'things without background', learning: { turns: 2, bankForeground: true } },
  { name: 'float16', learning: { turns: 2, bankPrecision: 'float16' } },
  { name: 'bfloat16', learning: { turns: 2, bankPrecision: 'bfloat16' } },
  {
    name: 'the spatial source',
    engine: () => ({ model: toy, size: 112 }),
    learning: { turns: 1, bankTower: 'source' },
  },
  {
    name: 'what prompts are beside',
    learning: { turns: 1, evidence: 'both' },
    scoring: { evidence: 'both' },
  },
  { name: "winclip's memory", engine: () => ({ model: toy, size: 56, method: 'winclip', className: 'nut' }) },
  { name: "vand's memory", engine: () => compared('vand', { prompts: at('vand 1', 'prompts.safetensors') }) },
];

async function bytesOf(bank: NormalBank): Promise<string> {
  const path = at('saved.normals.safetensors');
  await bank.save(path, { overwrite: true });
  return readFile(path, 'hex');
}

/** The ways to the bank of the first four pictures. */
async function banksOf(engine: Engine, { learning = {}, isOfChosen = false }: Kind) {
  const good = pictures.slice(0, 4);
  const merged = async (...groups: string[][]) => {
    const banks: NormalBank[] = [];
    for (const group of groups) banks.push(await engine.learnNormals(group, learning));
    return engine.mergeNormals(banks);
  };
  const [busy] = await Promise.all([
    engine.learnNormals(good, learning),
    ...pictures.map((picture) => engine.score(picture)),
  ]);
  const whole = { 'at once': await engine.learnNormals(good, learning), 'while pictures are scored': busy };
  if (isOfChosen) return whole;
  return {
    ...whole,
    'one by one': await merged(...good.map((picture) => [picture])),
    'in two parts': await merged(good.slice(0, 3), good.slice(3)),
  };
}

/** Files of the ways to a bank, and what it scores in every way; from behind: of the bank that was learned in reverse. */
async function learnedAndAsked(engine: Engine, kind: Kind) {
  const { learning = {}, scoring = {} } = kind;
  const files: Record<string, string> = {};
  const banks = await banksOf(engine, kind);
  for (const [name, bank] of Object.entries(banks)) files[name] = await bytesOf(bank);
  const { ways, options } = await scoredEveryWay(engine, { ...scoring, normals: banks['at once'] });
  const reversed = await engine.learnNormals(pictures.slice(0, 4).reverse(), learning);
  const { 'one by one': behind } = await everyWay(engine, pictures, { ...options, normals: reversed });
  return { files, ways, behind: behind! };
}

/** Another order of the pictures has another name. */
const unnamed = (results: unknown[]) => results.map((each) => ({ ...(each as object), model: '' }));

describe('a bank has the same bytes and gives the same scores', () => {
  it.each(kinds.filter(({ name }) => isAsked([name])))(
    '$name',
    async (kind) => {
      const options = kind.engine?.() ?? { model: tiny };
      const parts = await withEngine(load(options), (engine) => learnedAndAsked(engine, kind));
      const lanes = await withEngine(load({ ...options, parallel: 'pictures' }), (engine) =>
        learnedAndAsked(engine, kind),
      );
      const files = [...Object.entries(parts.files), ...Object.entries(lanes.files)];
      expect(files).toHaveLength(kind.isOfChosen ? 4 : 8);
      for (const [name, bytes] of files) expect(bytes === parts.files['at once'], name).toBe(true);
      const [asked] = Object.values(parts.ways);
      expect(differing(parts.ways)).toEqual([]);
      expect(differing({ asked: asked!, ...lanes.ways })).toEqual([]);
      if (!kind.isOfChosen) expect(unnamed(parts.behind)).toEqual(unnamed(asked!));
    },
    300_000,
  );

  it('one whose pictures come in another order when they are joined is found', async () => {
    const turned = (native: NativeEngine): Partial<NativeEngine> => ({
      addContext: ({ contexts, ...material }, method) => {
        const [first, ...others] = contexts?.['bank'] ?? [];
        const bank = first === undefined ? {} : { contexts: { bank: [...others, first] } };
        return native.addContext({ ...material, ...bank }, method);
      },
    });
    const banks = await withEngine(plantedEngine({ model: tiny }, turned), async (engine) => {
      const files = [];
      for (const bank of Object.values(await banksOf(engine, { name: 'rows', learning: { turns: 1 } })))
        files.push(await bytesOf(bank));
      return files;
    });
    expect(new Set(banks).size).toBeGreaterThan(1);
  }, 60_000);
});
