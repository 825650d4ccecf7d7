import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mapOf, readTestRun } from '../../../src/runs/read-run.js';
import { isScored } from '../../../src/runs/test-run.js';
import { codeOf } from '../awaiting.js';
import { booleanTiff } from '../images/make-tiff.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeMask, writeToySet } from '../train/toy-set.js';
import { errorOf, useWorkplace } from '../train/workplace.js';

import { evaluate as evaluateAt, type Given, scoredBy } from './evaluating.js';

const work = useWorkplace();
const evaluate = (given?: Given) => evaluateAt(work, given);

describe('evaluateDataSets', () => {
  it('scores every picture once and gives its figures, settings and pictures', async () => {
    const addon = makeTestAddon();
    const run = await evaluate({ addon });
    expect(scoredBy(addon)).toBe(6);
    expect(run.settings).toMatchObject({
      modelName: 'toy',
      prompts: { name: 'plain', learnedOn: ['toys'] },
      threshold: 0.5,
      limits: [0.05, 0.3],
    });
    const [set] = run.dataSets;
    expect(set).toMatchObject({ name: 'set', layout: 'meta.json', learnedOn: null });
    const [tile] = set!.classes;
    expect(tile).toMatchObject({ className: 'tile', failed: 0, metrics: { image: { auroc: { value: 1 } } } });
    expect(tile!.pictures.map(({ path }) => path)).toEqual([
      'test/good_0.png',
      'test/good_1.png',
      'test/good_2.png',
      'test/hole_3.png',
      'test/hole_4.png',
      'test/hole_5.png',
    ]);
    expect(tile!.examples).toMatchObject({ bestNormal: [0, 1, 2], worstAnomalous: [3, 4, 5] });
    expect(tile!.intervals!.auroc).toMatchObject({ low: 1, high: 1 });
  });

  it('gives the metrics masks in the size of the maps, and none for normal pictures', async () => {
    const addon = makeTestAddon();
    await evaluate({ addon });
    for (const { label, map, mask, width, height } of addon.entered) {
      expect([width, height, map!.length]).toEqual([8, 8, 64]);
      // top left quarter
      if (label) expect(mask!.reduce((sum, value) => sum + value, 0)).toBe(16);
      else expect(mask).toBeUndefined();
    }
  });

  it.each<[string, object]>([
    ['data', { data: ['set', 'set\0'] }],
    ['out', { out: 5 }],
    ['out', { out: 'out\0' }],
  ])('refuses a place for %s that is none', async (name, places) => {
    expect(await errorOf(evaluate(places))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(`^Expected a path for ${name} `),
    });
  });

  it('writes nothing without a folder', async () => {
    const before = await readdir(work.folder);
    const run = await evaluate();
    expect(run.dataSets[0]!.classes[0]!.pictures.every((picture) => isScored(picture) && !picture.map)).toBe(
      true,
    );
    expect((await readdir(work.folder)).filter((name) => name !== 'cache')).toEqual(
      before.filter((name) => name !== 'cache'),
    );
  });

  it('writes what readTestRun and mapOf read again, and no state', async () => {
    const out = work.at('whole');
    const run = await evaluate({ out });
    expect((await readdir(out)).sort()).toEqual([
      'maps',
      'pictures.csv',
      'results.csv',
      'results.json',
      'results.md',
      'results.tex',
      'run.json',
    ]);
    const read = await readTestRun(out);
    expect(read).toEqual(run);
    const picture = read.dataSets[0]!.classes[0]!.pictures[4]!;
    if (!isScored(picture)) throw new Error('expected a score');
    for (const wrong of [undefined, null, {}, { map: 1 }])
      expect(await codeOf(mapOf(out, wrong as never))).toBe('E_USAGE');
    expect(await codeOf(mapOf(undefined as never, picture))).toBe('E_USAGE');
    expect(await codeOf(readTestRun(undefined as never))).toBe('E_USAGE');
    const map = await mapOf(out, picture);
    expect(map).toMatchObject({ width: 8, height: 8 });
    expect(Math.max(...map!.data)).toBe(picture.mapMax);
  });

  it('keeps the maps of the examples, with keepMaps those of all', async () => {
    const many = await writeToySet(work.at('many'), { normal: 12, anomalous: 2 });
    await evaluate({ data: many, out: work.at('some') });
    await evaluate({ data: many, out: work.at('all'), keepMaps: true });
    const names = async (out: string) => (await readdir(work.at(out, 'maps', 'many'))).length;
    expect([await names('some'), await names('all')]).toEqual([10, 14]);
  });

  it('names two sets of one name apart', async () => {
    const other = await writeToySet(work.at('elsewhere', 'set'), { from: 100 });
    const run = await evaluate({ data: [work.set, other], out: work.at('two') });
    expect(run.dataSets.map(({ name }) => name)).toEqual(['set', 'set (2)']);
    expect(await readdir(work.at('two', 'maps'))).toHaveLength(2);
  });
});

it('says of each set which masks were read otherwise than by their tags', async () => {
  const set = await writeToySet(work.at('booleans'));
  const { width, height } = await sharp(join(set, 'masks', 'hole_3.png')).metadata();
  for (const name of ['hole_3.png', 'hole_4.png'])
    await writeFile(
      join(set, 'masks', name),
      booleanTiff(width, height, (x, y) => x < 4 && y < 4),
    );
  const run = await evaluate({ data: set });
  const turned = 'its mask is a boolean array of tifffile';
  expect(run.warnings).toEqual([
    expect.stringContaining(`booleans: 2 of 6 pictures, for instance test/hole_3.png: ${turned}`),
  ]);
  expect((await evaluate({ data: set, compat: { maskGrey: true } })).warnings).toEqual([]);
});

it('beside the published figures says how files are read', async () => {
  const { settings, dataSets } = await evaluate({ comparePaper: true });
  expect(settings).toMatchObject({ maskGrey: true, exif: false });
  expect(dataSets[0]!.notes).toContainEqual(
    expect.stringMatching(/^read as the reference reads files.*compat.maskGrey.*compat.exif false/),
  );
});

describe('a picture that fails', () => {
  it('is named, is in no figure, and the others are done', async () => {
    const set = await writeToySet(work.at('broken'));
    await writeFile(join(set, 'test', 'good_1.png'), 'no picture');
    await writeMask(join(set, 'masks', 'hole_4.png'), 10, 10);
    const run = await evaluate({ data: set, out: work.at('failed') });
    const [tile] = run.dataSets[0]!.classes;
    expect(tile).toMatchObject({
      failed: 2,
      metrics: {
        remarks: { pictures: 6, withoutScore: 2, withoutMap: 2 },
        image: { normal: 2, anomalous: 2 },
      },
    });
    const faults = tile!.pictures.flatMap((picture) =>
      isScored(picture) ? [] : [`${picture.path} ${picture.error.code}`],
    );
    expect(faults).toEqual(['test/good_1.png E_IMAGE_DECODE', 'test/hole_4.png E_DATA_MASK_SIZE']);
    expect(run.warnings).toEqual([
      expect.stringContaining('broken: 2 of 6 pictures could not be scored and are in no figure'),
    ]);
  });

  it('is not blamed for settings that do not fit the model: they end the test', async () => {
    const check = () => {
      throw Object.assign(new Error('features lists block 12'), { code: 'E_MODEL_CONFIG' });
    };
    const error = await errorOf(evaluate({ addon: makeTestAddon({ check }), preset: 'crane' }));
    expect(error).toMatchObject({ code: 'E_MODEL_CONFIG', message: 'features lists block 12' });
    expect(error.hint).toContain("made for the paper's towers");
  });

  it('leaves a class without figures where all fail', async () => {
    const set = await writeToySet(work.at('hopeless'), { normal: 1, anomalous: 1 });
    for (const name of ['good_0.png', 'hole_1.png']) await writeFile(join(set, 'test', name), '');
    const run = await evaluate({ data: set });
    expect(run.dataSets[0]!.classes[0]).toMatchObject({
      failed: 2,
      intervals: null,
      metrics: { image: { auroc: { value: null } } },
    });
  });
});

describe('prompts learned on the tested set', () => {
  it('are warned of by name', async () => {
    const toys = await writeToySet(work.at('Toys'));
    const run = await evaluate({ data: toys });
    expect(run.dataSets[0]!.learnedOn).toEqual({ why: 'name', detail: 'toys' });
    expect(run.warnings[0]).toMatch(/^Toys: the prompts were learned on toys\. .* no zero-shot results/);
  });

  it('are warned of by content, whatever the set is called; those of one epoch too', async () => {
    const trainer = await work.trainer({ out: work.at('learned'), epochs: 1 });
    await trainer.run();
    await cp(work.set, work.at('renamed'), { recursive: true });
    for (const name of ['prompts.safetensors', 'epoch_1.pth']) {
      const prompts = work.at('learned', name);
      const run = await evaluate({ data: work.at('renamed'), prompts });
      expect(run.dataSets[0]!.learnedOn).toEqual({ why: 'content', detail: '6 of its 6 pictures' });
      expect(run.warnings[0]).toContain('renamed: the prompts were learned from 6 of its 6 pictures');
    }
  });

  it("C10: are warned of by content with the model's own prompts, by default and by name", async () => {
    const trainer = await work.trainer({ out: work.at('learned for the model'), epochs: 1 });
    await trainer.run();
    const file = join(work.model.folder, 'prompts.safetensors');
    const before = await readFile(file);
    await cp(work.at('learned for the model', 'prompts.safetensors'), file);
    await cp(work.set, work.at('copied'), { recursive: true });
    for (const prompts of [undefined, 'plain', file]) {
      const run = await evaluate({ data: work.at('copied'), ...(prompts ? { prompts } : {}) });
      expect(run.dataSets[0]!.learnedOn).toEqual({ why: 'content', detail: '6 of its 6 pictures' });
    }
    expect((await evaluate({ data: work.at('copied'), prompts: 'other' })).dataSets[0]!.learnedOn).toBeNull();
    await writeFile(file, before);
  });

  it('cannot be ruled out when the prompts do not say: that is a warning too', async () => {
    await writeFile(work.at('found.safetensors'), '{"metadata":{}}');
    const run = await evaluate({ prompts: work.at('found.safetensors') });
    expect(run.settings.prompts!.learnedOn).toBeNull();
    expect(run.warnings[0]).toContain('does not say what its prompts were learned on');
  });
});

describe('presets', () => {
  it('set the method, and what is given beside them wins', async () => {
    const addon = makeTestAddon();
    const run = await evaluate({ addon, preset: 'crane', softMean: false });
    expect(run.settings).toMatchObject({
      preset: 'crane',
      method: { features: [6, 12, 18, 24], softMean: false, dAttn: false },
    });
    expect(addon.log.passes[0]!.method['features']).toEqual([6, 12, 18, 24]);
  });

  it('take the prompts of their epoch from the folder of a training', async () => {
    const trainer = await work.trainer({ out: work.at('epochs'), epochs: 5 });
    await trainer.run();
    const run = await evaluate({ preset: 'crane', prompts: work.at('epochs') });
    expect(run.settings.prompts!.name).toBe(work.at('epochs', 'epoch_5.pth'));
    const final = await evaluate({ prompts: work.at('epochs') });
    expect(final.settings.prompts!.name).toBe(work.at('epochs', 'prompts.safetensors'));
  });

  it('with a spatial source are refused where the model has none', async () => {
    expect(await errorOf(evaluate({ preset: 'crane+' }))).toMatchObject({ code: 'E_MODEL_CONFIG' });
  });
});
