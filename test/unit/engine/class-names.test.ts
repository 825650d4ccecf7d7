/** Methods whose texts name what a picture shows: from the call, from a picture, from the classes of a data set. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMethod } from '../../../src/methods/registry.js';
import { ensembles, sentencesOf } from '../../../src/text/ensemble.js';
import { tokenize } from '../../../src/text/tokenizer.js';

const k_naming = 'naming';
// before anything that makes options of the methods
addMethod({
  name: k_naming,
  what: 'compares with the sentences of an ensemble',
  settings: {},
  defaults: {},
  namesClass: true,
  learned: null,
  facts: () => ({ couplesPictures: false, needsSource: false }),
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  material: ({ className }) => ({ texts: { ...sentencesOf(ensembles.adaclip, className) }, files: {} }),
  keptBy: () => [],
  training: null,
  features: null,
});

const { openEngine } = await import('../../../src/engine/load-engine.js');
const { evaluateIn } = await import('../../../src/evaluate/evaluate-data-sets.js');
const { isFailed } = await import('../../../src/engine/result.js');
const { runScore } = await import('../../../src/scoring/score-run.js');
const { makeFakeAddon } = await import('./fake-addon.js');
const { makeToyFolder, makeToyModel, pixels } = await import('./toy-model.js');
const { makeTestAddon } = await import('../metrics/slow-metrics.js');
const { errorOf, useWorkplace } = await import('../train/workplace.js');

type Model = Awaited<ReturnType<typeof makeToyModel>>;
type FakeAddon = ReturnType<typeof makeFakeAddon>;

let folder: string;
let model: Model;
beforeAll(async () => {
  folder = await makeToyFolder();
  model = await makeToyModel(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Class by class, what the engine was given to encode. */
async function encodedFor(addon: FakeAddon, className: string): Promise<number> {
  const { normal, anomalous } = sentencesOf(ensembles.adaclip, className);
  const ids = async (texts: string[]) => (await Promise.all(texts.map(tokenize))).map((tokens) => tokens.ids);
  const wanted = { normal: await ids(normal), anomalous: await ids(anomalous) };
  return addon.log.prompts.filter(({ material }) => JSON.stringify(material.texts) === JSON.stringify(wanted))
    .length;
}

describe('a method that names classes', () => {
  it('takes the name from the engine, the call or the picture, and encodes each once', async () => {
    const addon = makeFakeAddon();
    const engine = await openEngine(addon, model, { method: k_naming, className: 'bottle' });
    expect(addon.log.prompts).toHaveLength(1);
    const bottle = await engine.score(pixels(10));
    expect(bottle.model).toBe(engine.facts.model);
    const cable = await engine.score(pixels(10), { className: 'cable' });
    await engine.score(pixels(20), { className: 'bottle' });
    const items = ['screw', undefined].map((className) => ({
      input: pixels(30),
      ...(className === undefined ? {} : { className }),
    }));
    const labels = [];
    for await (const outcome of engine.scoreMany(items))
      labels[outcome.index] = isFailed(outcome) || outcome.model;
    expect(new Set([bottle.model, cable.model, labels[0]]).size).toBe(3);
    expect(labels[1]).toBe(bottle.model);
    expect(await Promise.all(['bottle', 'cable', 'screw'].map((name) => encodedFor(addon, name)))).toEqual([
      1, 1, 1,
    ]);
    await engine.dispose();
  });

  it('encodes nothing before a name is known, and says what is missing', async () => {
    const addon = makeFakeAddon();
    const engine = await openEngine(addon, model, { method: k_naming });
    expect(addon.log.prompts).toEqual([]);
    expect(await errorOf(engine.score(pixels(10)))).toMatchObject({
      code: 'E_PROMPTS',
      hint: expect.stringContaining('--class-name'),
    });
    await engine.score(pixels(10), { className: 'pill' });
    expect(await encodedFor(addon, 'pill')).toBe(1);
    expect(addon.log.passes).toHaveLength(1);
    await engine.dispose();
  });

  it('is refused before the first picture where it can only fail', async () => {
    const engine = await openEngine(makeFakeAddon(), model, { method: k_naming });
    const asked = { code: 'E_PROMPTS', hint: expect.stringContaining('--class-name') };
    expect(await errorOf(runScore({ engine, inputs: ['none.png'], options: {} } as never))).toMatchObject(
      asked,
    );
    const named = await openEngine(makeFakeAddon(), model, { method: k_naming, className: 'nut' });
    expect(
      await errorOf(runScore({ engine: named, inputs: ['none.png'], options: {} } as never)),
    ).not.toMatchObject(asked);
  });

  it('is the only kind that takes one', async () => {
    const engine = await openEngine(makeFakeAddon(), model);
    expect(await errorOf(engine.score(pixels(10), { className: 'bottle' }))).toMatchObject({
      code: 'E_USAGE',
      message: 'method crane does not name what a picture shows',
    });
    await engine.dispose();
  });
});

describe('a test of it', () => {
  const work = useWorkplace();
  const test = async (options: { className?: string } = {}) => {
    const addon = makeTestAddon();
    const engine = await openEngine(addon, work.model, { method: k_naming });
    try {
      const run = await evaluateIn(
        { engine, data: work.set, bootstrap: 50, report: false, ...options },
        work.env,
      );
      return { addon, run };
    } finally {
      await engine.dispose();
    }
  };

  it("names the data set's classes", async () => {
    const { addon, run } = await test();
    expect(run.dataSets[0]?.classes.map(({ className }) => className)).toEqual(['tile']);
    expect(addon.log.prompts).toHaveLength(1);
    expect(await encodedFor(addon, 'tile')).toBe(1);
    expect(run.settings.className).toBeUndefined();
  });

  it('names what the caller says instead, and records it', async () => {
    const { addon, run } = await test({ className: 'floor tile' });
    expect(addon.log.prompts).toHaveLength(1);
    expect(await encodedFor(addon, 'floor tile')).toBe(1);
    expect(run.settings.className).toBe('floor tile');
  });
});
