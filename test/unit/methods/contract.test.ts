/** What a descriptor may say, seen from where it matters: model.json, loading, prompts, thresholds, maps, training. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodDescriptor } from '../../../src/methods/descriptor.js';
import { addMethod, defaultMethod, mapColours, widestRange } from '../../../src/methods/registry.js';

const settings = {
  height: { kind: 'number', min: 0, max: 100, help: 'of the map' },
  imageScore: { kind: 'choice', values: ['only', 'map-max'], help: 'the score' },
  sigma: { kind: 'number', min: 0, max: 10, help: 'blur' },
} as const;
const common: Omit<MethodDescriptor, 'name' | 'learned' | 'training' | 'material'> = {
  what: 'for tests',
  settings,
  defaults: { height: 4, imageScore: 'only', sigma: 0 },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  ranges: ({ height }) => ({ score: [0, 1], map: [0, Number(height)] }),
  keptBy: () => [],
  features: ({ height }, { tensors, grid }) => ({ shape: { tensors, grid }, method: { height } }),
};
// before anything that makes options of the methods
addMethod({
  ...common,
  name: 'bare',
  backbone: { name: 'ViT-B-16-plus-240', activation: 'gelu', positions: 'none' },
  learned: null,
  training: null,
  material: () => ({ texts: {}, files: {} }),
});
addMethod({
  ...common,
  name: 'heads',
  backbone: { name: 'ViT-L-14-336px', activation: 'gelu', positions: 'bicubic-antialias' },
  namesClass: true,
  learned: { needed: true },
  training: {
    defaults: { epochs: 3, batchSize: 2, learningRate: 0.5, betas: [0.5, 0.9], weightDecay: 0.01 },
    learner: ({ height }, { learningRate, weightDecay }) => ({
      height: Number(height),
      learningRate,
      weightDecay: weightDecay!,
    }),
  },
  material: ({ file, className }) => ({
    texts: className === undefined ? {} : { normal: [className] },
    files: file === undefined ? {} : { heads: file },
  }),
});

const { openEngine } = await import('../../../src/engine/load-engine.js');
const { AnomalyMap } = await import('../../../src/images/anomaly-map.js');
const { withTowersOf } = await import('../../../src/models/method-towers.js');
const { parseModelJson } = await import('../../../src/models/model-json.js');
const { findOption } = await import('../../../src/options/table.js');
const { tokenize } = await import('../../../src/text/tokenizer.js');
const { makeFakeAddon } = await import('../engine/fake-addon.js');
const { makeToyFolder, makeToyModel, pixels, toyModelJson } = await import('../engine/toy-model.js');
const { errorOf, useWorkplace } = await import('../train/workplace.js');

let folder: string;
let model: Awaited<ReturnType<typeof makeToyModel>>;
let file: string;
beforeAll(async () => {
  folder = await makeToyFolder();
  model = await makeToyModel(folder);
  file = join(folder, 'heads.pth');
  await writeFile(file, 'heads');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = (options: object, of = model, addon = makeFakeAddon()) => openEngine(addon, of, options);
const bareJson = () => {
  const { prompts: _, ...rest } = structuredClone(toyModelJson);
  return { ...rest, method: { name: 'bare', height: 4, imageScore: 'only', sigma: 0 }, mapThreshold: 3.5 };
};
const parse = (json: object) => parseModelJson(JSON.stringify(json), 'model.json');
const faultOf = (json: object) => {
  try {
    parse(json);
    return 'none';
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

describe('model.json', () => {
  it('needs no prompts where the method learns nothing', () => {
    expect(parse(bareJson()).prompts).toEqual({ sets: {} });
    expect(faultOf({ ...toyModelJson, prompts: undefined })).toContain(
      'prompts.default: expected the name of one of the sets',
    );
  });

  it('has thresholds within the ranges of its method', () => {
    expect(parse(bareJson()).mapThreshold).toBe(3.5);
    expect(faultOf({ ...bareJson(), mapThreshold: 4.5 })).toContain(
      'mapThreshold: expected a number from 0 to 4',
    );
    expect(faultOf({ ...bareJson(), threshold: 1.5 })).toContain('threshold: expected a number from 0 to 1');
    expect(faultOf({ ...toyModelJson, mapThreshold: 1.5 })).toContain('from 0 to 1');
  });

  it('may hold sets of other methods, which need no sentences', () => {
    const set = { file: 'heads.pth', sha256: toyModelJson.prompts.sets.plain.sha256, learnedOn: [] };
    const withSet = (more: object, chosen = 'plain') => ({
      ...toyModelJson,
      prompts: { default: chosen, sets: { ...toyModelJson.prompts.sets, heads: { ...set, ...more } } },
    });
    expect(parse(withSet({ method: 'heads' })).prompts.sets['heads']).toMatchObject(set);
    expect(faultOf(withSet({}))).toContain('prompts.sets.heads.normal: expected a sentence');
    expect(faultOf(withSet({ method: 'hats' }))).toContain('there is no method "hats"');
    expect(faultOf(withSet({ method: 'heads' }, 'heads'))).toContain('set "heads" is of method heads');
  });
});

describe('towers', () => {
  it("are a model's own for its own method, and another's as that one runs them", async () => {
    const addon = makeFakeAddon();
    await open({}, model, addon);
    await open({ method: 'heads', prompts: file }, model, addon);
    await open({ method: 'bare' }, model, addon);
    const [own, heads, bare] = addon.log.opened;
    expect(own).toMatchObject({ vision: toyModelJson.vision, text: toyModelJson.text });
    expect(heads!.vision).toEqual({
      ...toyModelJson.vision,
      activation: 'gelu',
      positionInterpolation: { kind: 'bicubic-antialias', offset: 0 },
    });
    expect(heads!.text.activation).toBe('gelu');
    // 'none': its own input fits, so how a model fits another one stays
    expect(bare!.vision.positionInterpolation).toEqual(toyModelJson.vision.positionInterpolation);
    expect(withTowersOf('crane', model)).toBe(model);
  });

  it('are opened once: a call may not name a method that runs them otherwise', async () => {
    const engine = await open({});
    expect(await errorOf(engine.score(pixels(1), { method: 'heads', prompts: file }))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('bicubic-antialias positions, and they were opened for crane'),
      hint: expect.stringContaining("method: 'heads'"),
    });
    expect(await errorOf(engine.score(pixels(1), { method: 'bare' }))).toMatchObject({ code: 'E_USAGE' });
    const heads = await open({ method: 'heads', prompts: file, className: 'nut' });
    expect(await errorOf(heads.score(pixels(1), { method: 'crane' }))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('were opened for heads'),
    });
  });
});

describe('what was learned', () => {
  it('is refused where nothing is, and nothing is read', async () => {
    const addon = makeFakeAddon();
    const engine = await open({ method: 'bare' }, model, addon);
    await engine.score(pixels(1));
    expect(addon.log.prompts[0]!.material).toEqual({ texts: {}, files: {}, kept: expect.any(String) });
    expect(await errorOf(open({ method: 'bare', prompts: 'plain' }))).toMatchObject({
      code: 'E_USAGE',
      message: 'method bare takes no prompts: nothing of it is learned',
    });
  });

  it('is asked for where a method needs it and the model has that of another one', async () => {
    // It opens: what is missing may be what a training is to make.
    const engine = await open({ method: 'heads', className: 'nut' });
    expect(await errorOf(engine.score(pixels(1)))).toMatchObject({
      code: 'E_PROMPTS',
      message: 'toy has nothing learned for method heads (its sets plain, other are of other methods)',
      hint: 'name a file: --prompts FILE; train --method heads makes one',
    });
    expect(await errorOf(open({ method: 'heads', className: 'nut', prompts: 'other' }))).toMatchObject({
      code: 'E_PROMPTS',
      message: 'prompts "other" of toy were learned for method crane, not for heads',
    });
  });

  it('comes from a file, or from the first set of the method', async () => {
    const addon = makeFakeAddon();
    await open({ method: 'heads', className: 'nut', prompts: file }, model, addon);
    const set = { file: 'heads.pth', sha256: toyModelJson.prompts.sets.plain.sha256, learnedOn: ['toys'] };
    const sets = { ...model.prompts.sets, theirs: { ...set, method: 'heads' } };
    await open(
      { method: 'heads', className: 'nut' },
      { ...model, prompts: { ...model.prompts, sets } },
      addon,
    );
    expect(addon.log.prompts.map(({ material }) => material.files)).toEqual([
      { heads: file },
      { heads: file },
    ]);
  });
});

describe('ranges', () => {
  it('bound the thresholds of a call', async () => {
    const engine = await open({ method: 'bare', mapThreshold: 3 });
    expect(engine.settings().mapThreshold).toBe(3);
    expect(await errorOf(engine.score(pixels(1), { mapThreshold: 4.5 }))).toMatchObject({ code: 'E_USAGE' });
    expect(await errorOf(engine.score(pixels(1), { height: 2 } as object))).toMatchObject({
      code: 'E_USAGE',
      message: 'a threshold of 3 lies outside of what method bare gives: 0 to 2',
    });
    expect(await errorOf(open({ mapThreshold: 3 }))).toMatchObject({ code: 'E_USAGE' });
  });

  it('are what an option may be before its method is known', () => {
    expect([widestRange('score'), widestRange('map')]).toEqual([
      // of vand with a memory of normal pictures
      [0, 2],
      [0, 12],
    ]);
    expect(findOption('mapThreshold')!.accepts(12)).toBe(true);
    expect(findOption('mapThreshold')!.accepts(12.1)).toBe(false);
    expect(findOption('threshold')!.accepts(2.1)).toBe(false);
  });

  it('show distances to good pictures, which stay low, up to twice the threshold', () => {
    expect(mapColours({ method: defaultMethod('both'), mapThreshold: 0.07 })).toEqual({ low: 0, high: 0.14 });
    const method = defaultMethod('normals');
    expect(mapColours({ method })).toEqual({ low: 0, high: 0.3 });
    expect(mapColours({ method, mapThreshold: null })).toEqual({ low: 0, high: 0.3 });
    expect(mapColours({ method, mapThreshold: 0.04 })).toEqual({ low: 0, high: 0.08 });
    expect(mapColours({ method, mapThreshold: 0.9 })).toEqual({ low: 0, high: 1 });
    expect(mapColours({ method, mapThreshold: 0 })).toEqual({ low: 0, high: 0.3 });
    expect(mapColours({ method: defaultMethod('crane'), mapThreshold: 0.1 })).toEqual({ low: 0, high: 1 });
  });

  it('scale 16-bit maps and colours', async () => {
    const engine = await open({ method: 'bare' });
    const { map } = await engine.score(pixels(9), { map: true });
    expect(map!.range).toEqual([0, 4]);
    expect(mapColours(engine.settings())).toEqual({ low: 0, high: 4 });
    const data = Float32Array.of(0, 1, 2, 4, 5, -1);
    const png = await new AnomalyMap({ data, width: 6, height: 1 }, makeFakeAddon(), [0, 4]).toPng();
    const { data: bytes } = await sharp(png)
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const values = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    expect([...values].slice(0, 6)).toEqual([0, 16384, 32768, 65535, 65535, 0]);
  });
});

describe('training', () => {
  const work = useWorkplace();
  const engine = { method: 'heads' };

  it('has the settings of its method, and none else', async () => {
    const addon = makeFakeAddon();
    const trainer = await work.trainer({ out: work.at('heads'), epochs: 1 }, { addon, engine });
    await trainer.run();
    const { options, made } = JSON.parse(await readFile(work.at('heads', 'run.json'), 'utf8'));
    expect(options).toMatchObject({ epochs: 1, batchSize: 2, learningRate: 0.5, weightDecay: 0.01 });
    expect(Object.keys(options)).not.toContain('guidance');
    expect(made.training).toEqual({ height: 4, learningRate: 0.5, weightDecay: 0.01 });
    expect(made.texts).toEqual({ classes: ['tile'] });
    expect(await errorOf(work.trainer({ out: work.at('x'), guidance: 'none' }, { engine }))).toMatchObject({
      code: 'E_USAGE',
      message: 'method heads learns without guidance',
    });
    expect(await errorOf(work.trainer({ out: work.at('x'), weightDecay: 0.1 }))).toMatchObject({
      code: 'E_USAGE',
      message: 'method crane learns without weightDecay',
    });
  });

  it('gets the sentences of every class, each picture its own, also when it goes on', async () => {
    const starts: object[] = [];
    const shown = new Set<string | undefined>();
    const training = {
      checkStart: (start: object) => void starts.push(start),
      onStep: (items: { className?: string }[]) => {
        for (const { className } of items) shown.add(className);
      },
    };
    const addon = () => makeFakeAddon({ training });
    const out = work.at('classes');
    await (await work.trainer({ out, epochs: 1 }, { addon: addon(), engine })).run();
    await (await work.trainer({ out, epochs: 2, resume: true }, { addon: addon(), engine })).run();
    const classes = { tile: { normal: [(await tokenize('tile')).ids] } };
    for (const start of starts) expect(start).toMatchObject({ classes });
    expect(starts.some((start) => 'state' in start)).toBe(true);
    expect([...shown]).toEqual(['tile']);
  });

  it('is refused where nothing is learned', async () => {
    expect(
      await errorOf(work.trainer({ out: work.at('bare') }, { engine: { method: 'bare' } })),
    ).toMatchObject({ code: 'E_METHOD', hint: expect.stringMatching(/^these do: crane, .*heads/) });
  });
});
