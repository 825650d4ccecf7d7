import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { calibrate as calibrateInLibrary } from '../../../src/calibrate/calibrate.js';
import { keepWithModel } from '../../../src/calibrate/store.js';
import { sha256OfFile } from '../../../src/files/content-hash.js';
import { isThere } from '../../../src/files/write-whole.js';
import type { Calibration } from '../../../src/models/calibration.js';
import { embeddedModels } from '../../../src/models/find-model.js';
import { readModelJson } from '../../../src/models/model-json.js';
import { readUserCalibrations } from '../../../src/models/user-calibrations.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { leave } from '../files/left.js';
import { booleanTiff } from '../images/make-tiff.js';

/** The fake engine's score is the brightness: normal pictures are darker here. */
const k_normal = [40, 50, 60, 70, 80, 90, 100, 110, 120, 130];
const k_anomalous = [140, 150, 160, 170, 180];

let root: string;
let data: string;
let good: string;
let round = 0;
let model: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  root = await makeToyFolder();
  data = join(root, 'parts');
  good = join(root, 'good parts');
  await mkdir(join(data, 'part', 'test', 'good'), { recursive: true });
  await mkdir(join(data, 'part', 'test', 'scratch'), { recursive: true });
  await mkdir(join(data, 'part', 'ground_truth', 'scratch'), { recursive: true });
  await mkdir(good);
  for (const brightness of k_normal) {
    await writePicture(join(data, 'part', 'test', 'good', `${brightness}.png`), brightness);
    await writePicture(join(good, `${brightness}.png`), brightness);
  }
  for (const brightness of k_anomalous) {
    const name = `${brightness}.png`;
    await writePicture(join(data, 'part', 'test', 'scratch', name), brightness);
    await sharp({ create: { width: 32, height: 24, channels: 3, background: 'white' } })
      .toColourspace('b-w')
      .png()
      .toFile(join(data, 'part', 'ground_truth', 'scratch', `${brightness}_mask.png`));
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

beforeEach(async () => {
  model = join(root, `model-${++round}`);
  env = { CRANE_CALIBRATIONS: join(root, `calibrations-${round}`), CRANE_CACHE: join(root, 'cache') };
  await makeToyModel(model, (json) => {
    (json as { threshold: number | null }).threshold = null;
    (json as { mapThreshold: number | null }).mapThreshold = null;
  });
});

const run = (args: string[], more: object = {}) => runInProcess(args, { env, ...more });
const calibrate = (...args: string[]) => run(['calibrate', ...args, '--model', model, '--json']);
const errorIn = (stderr: string) => (JSON.parse(stderr) as { error: unknown }).error;
const score = async (brightness: number, ...args: string[]) => {
  const picture = await writePicture(join(root, 'one.png'), brightness);
  const scored = await run(['score', picture, '--model', model, '--regions', ...args]);
  expect(scored.code, scored.stderr).toBe(0);
  return scored.lines()[0]!;
};

describe('labelled pictures', () => {
  it('give the thresholds of best F1 for pictures and maps, with n, interval and where they come from', async () => {
    const { code, lines, stderr } = await calibrate(data);
    expect(code, stderr).toBe(0);
    const made = lines()[0] as unknown as Extract<Calibration, { rule: 'best-f1' }> & { file: null };
    expect(made).toMatchObject({
      rule: 'best-f1',
      prompts: { name: 'plain', learnedOn: ['toys'] },
      data: { name: 'parts', split: 'test', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      pictures: { normal: 10, anomalous: 5, withMask: 5, failed: 0 },
      learnedOn: null,
      file: null,
      image: { f1: 1, precision: 1, recall: 1 },
      map: { f1: 1, precision: 1, recall: 1 },
    });
    const halfway = (130 + 140) / 2 / 255;
    expect(made.image.threshold).toBeCloseTo(halfway, 2);
    expect(made.image.interval.low).toBeLessThanOrEqual(made.image.threshold);
    expect(made.image.interval.high).toBeGreaterThanOrEqual(made.image.threshold);
    expect(made.map!.threshold).toBeGreaterThan(130 / 255);
    expect(made.map!.threshold).toBeLessThanOrEqual(140 / 255);
    expect((await readModelJson(join(model, 'model.json'))).threshold).toBeNull();
  });

  it('say which masks were read otherwise than by their tags', async () => {
    const masks = join(data, 'part', 'ground_truth', 'scratch');
    const plain = await readFile(join(masks, '140_mask.png'));
    await writeFile(
      join(masks, '140_mask.png'),
      booleanTiff(32, 24, (x) => x < 16),
    );
    const { code, stderr } = await run(['calibrate', data, '--model', model]);
    await writeFile(join(masks, '140_mask.png'), plain);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /1 of 15 pictures, for instance part\/test\/scratch\/140.png: its mask is a boolean array of tifffile/,
    );
  });

  it('of one label are refused, with what to do', async () => {
    const only = join(root, 'only-good');
    await mkdir(join(only, 'part', 'test', 'good'), { recursive: true });
    await writePicture(join(only, 'part', 'test', 'good', 'a.png'), 50);
    const { code, stderr } = await calibrate(only, '--layout', 'mvtec');
    expect(code).toBe(3);
    expect(errorIn(stderr)).toMatchObject({
      code: 'E_DATA_ONE_CLASS',
      hint: expect.stringContaining('--normal-only'),
    });
  });

  it('with equal scores are refused: no threshold parts them', async () => {
    const equal = join(root, 'equal');
    for (const kind of ['good', 'bad']) {
      await mkdir(join(equal, 'part', 'test', kind), { recursive: true });
      await writePicture(join(equal, 'part', 'test', kind, 'a.png'), 77);
    }
    const { code, stderr } = await calibrate(equal, '--layout', 'mvtec');
    expect(code, stderr).toBe(3);
    expect(errorIn(stderr)).toMatchObject({ code: 'E_CALIBRATE_SCORES' });
  });

  it('without masks give no map threshold, and it is said', async () => {
    const bare = join(root, 'bare');
    for (const [kind, brightness] of [
      ['good', 50],
      ['bad', 150],
    ] as const) {
      await mkdir(join(bare, 'part', 'test', kind), { recursive: true });
      await writePicture(join(bare, 'part', 'test', kind, 'a.png'), brightness);
    }
    const args = ['calibrate', bare, '--layout', 'mvtec', '--model', model, '--write'];
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('map threshold  none');
    expect((await readModelJson(join(model, 'model.json'))).mapThreshold).toBeNull();
  });
});

describe('normal pictures alone', () => {
  it('give the threshold of the rate, and its promise in plain words', async () => {
    const { code, lines, stderr } = await calibrate(good, '--normal-only', '--false-alarm-rate', '0.1');
    expect(code, stderr).toBe(0);
    const made = lines()[0] as unknown as Extract<Calibration, { rule: 'false-alarm-rate' }>;
    // (10 + 1) * 0.1 = 1.1: one of eleven may be above, so the highest of the ten is the bound
    expect(made).toMatchObject({
      falseAlarmRate: 0.1,
      pictures: { normal: 10, anomalous: 0 },
      image: { rank: 10 },
    });
    expect(made.image.threshold).toBeGreaterThan(130 / 255);
    expect(made.image.threshold).toBeLessThan(131 / 255);
    expect(made.image.expected).toBeCloseTo(1 / 11, 12);
    const told = await run([
      'calibrate',
      good,
      '--normal-only',
      '--false-alarm-rate',
      '0.1',
      '--model',
      model,
    ]);
    expect(told.stdout).toContain('probability of at most 10 %');
    expect(told.stdout).toContain('exchangeable');
    expect(told.stderr).toContain('not kept');
  });

  it('of a data set are its normal ones', async () => {
    const { lines } = await calibrate(data, '--normal-only', '--false-alarm-rate', '0.2');
    expect(lines()[0]).toMatchObject({ pictures: { normal: 10, anomalous: 0 }, data: { name: 'parts' } });
  });

  it('that are too few are refused before any is scored, with the number needed', async () => {
    const refused = await calibrate(good, '--normal-only');
    expect(refused.code).toBe(3);
    expect(errorIn(refused.stderr)).toMatchObject({
      code: 'E_CALIBRATE_TOO_FEW',
      message: '10 normal pictures cannot hold a false-alarm rate of 0.01: at least 99 are needed',
    });
    expect(refused.addon.log.passes).toHaveLength(0);
  });

  it('with a rate but not meant so is a wrong usage', async () => {
    const { code, stderr } = await calibrate(data, '--false-alarm-rate', '0.1');
    expect(code).toBe(2);
    expect(stderr).toContain('belongs to --normal-only');
  });
});

describe('a picture that fails', () => {
  it('is left out, counted and named, and the exit code says so', async () => {
    const mixed = join(root, 'mixed');
    await mkdir(mixed, { recursive: true });
    for (const brightness of k_normal) await writePicture(join(mixed, `${brightness}.png`), brightness);
    await writeFile(join(mixed, 'broken.png'), 'no picture');
    const args = [
      'calibrate',
      mixed,
      '--normal-only',
      '--false-alarm-rate',
      '0.1',
      '--model',
      model,
      '--write',
    ];
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(3);
    expect(stdout).toContain('10 normal of mixed');
    expect(stdout).toContain('1 failed');
    expect(stderr).toContain('broken.png');
    expect((await readModelJson(join(model, 'model.json'))).calibrations?.[0]?.pictures.failed).toBe(1);
  });

  it.each(['score', 'mapMax'])('with a %s that is not a number is one', async (field) => {
    const args = [
      'calibrate',
      good,
      '--normal-only',
      '--false-alarm-rate',
      '0.5',
      '--model',
      model,
      '--json',
    ];
    const { makeFakeAddon } = await import('../engine/fake-addon.js');
    const addon = makeFakeAddon();
    const open = addon.openEngine;
    addon.openEngine = async (config) => {
      const engine = await open(config);
      const score = engine.score.bind(engine);
      engine.score = async (requests, ...rest) => {
        const results = await score(requests, ...rest);
        return results.map((result, at) =>
          requests[at]!.picture.data[0] === 130 ? { ...result, [field]: Number.NaN } : result,
        );
      };
      return engine;
    };
    const { code, lines } = await run(args, { addon });
    expect(code).toBe(3);
    expect(lines()[0]).toMatchObject({
      pictures: { normal: 9, failed: 1 },
      failed: [{ error: { code: 'E_IMAGE_NONFINITE' } }],
    });
  });
});

describe('what is kept', () => {
  it('stands in model.json beside all else, and score calls pictures by it', async () => {
    const before = await readModelJson(join(model, 'model.json'));
    expect(await score(200)).toMatchObject({ anomalous: null, threshold: null, regions: null });
    const { code, lines, stderr } = await calibrate(data, '--write');
    expect(code, stderr).toBe(0);
    const { file, image, map } = lines()[0] as unknown as Calibration & { file: string };
    expect(file).toBe(join(model, 'model.json'));
    const after = await readModelJson(file);
    expect(after).toMatchObject({ threshold: image.threshold, mapThreshold: map!.threshold });
    const { calibrations, threshold: _, mapThreshold: __, ...others } = after;
    const { threshold: ___, mapThreshold: ____, ...old } = before;
    expect(others).toEqual(old);
    expect(calibrations).toHaveLength(1);
    expect(await score(200)).toMatchObject({ anomalous: true, threshold: image.threshold });
    expect((await score(200))['regions']).toHaveLength(1);
    expect(await score(60)).toMatchObject({ anomalous: false, regions: [] });
  });

  it('never applies to other prompts, size, fit or method', async () => {
    await calibrate(data, '--write');
    for (const args of [
      ['--prompts', 'other'],
      ['--size', '42'],
      ['--fit', 'pad'],
      ['--sigma', '2'],
      ['--prompts', join(model, 'other.safetensors')],
    ])
      expect(await score(200, ...args), args.join(' ')).toMatchObject({ threshold: null, anomalous: null });
    expect(await score(200, '--prompts', 'plain')).toMatchObject({ anomalous: true });
  });

  it('for other prompts, size and method applies to exactly those, and leaves the model its own', async () => {
    const own = join(root, 'my prompts.safetensors');
    await writeFile(own, '{ "metadata": {} }');
    const settings = ['--prompts', own, '--size', '42', '--sigma', '2'];
    const { code, lines, stderr } = await calibrate(data, '--write', ...settings);
    expect(code, stderr).toBe(0);
    const { image } = lines()[0] as unknown as Calibration;
    expect((await readModelJson(join(model, 'model.json'))).threshold).toBeNull();
    expect(await score(200, ...settings)).toMatchObject({ anomalous: true, threshold: image.threshold });
    expect(await score(200)).toMatchObject({ threshold: null });
    expect(await score(200, '--prompts', own)).toMatchObject({ threshold: null });
    // other bytes under the same name are other prompts
    await writeFile(own, '{ "metadata": { "other": "bytes" } }');
    expect(await score(200, ...settings)).toMatchObject({ threshold: null });
  });

  it('gives way to a threshold of the call, and to none', async () => {
    await calibrate(data, '--write');
    expect(await score(200, '--threshold', '0.9')).toMatchObject({ threshold: 0.9, anomalous: false });
    expect(await score(200, '--threshold', 'none')).toMatchObject({ threshold: null, anomalous: null });
  });

  it('replaces the earlier one of the same settings', async () => {
    await calibrate(data, '--write');
    await calibrate(good, '--normal-only', '--false-alarm-rate', '0.5', '--write');
    const { calibrations, threshold } = await readModelJson(join(model, 'model.json'));
    expect(calibrations?.map(({ rule }) => rule)).toEqual(['false-alarm-rate']);
    expect(threshold).toBe(calibrations![0]!.image.threshold);
  });

  it('goes into a copy with --out, which is a model of its own, and never over another folder', async () => {
    const out = join(root, `copy-${round}`);
    const { code, stderr } = await calibrate(data, '--out', out);
    expect(code, stderr).toBe(0);
    expect((await readModelJson(join(model, 'model.json'))).threshold).toBeNull();
    expect((await readdir(out)).sort()).toEqual([
      'model.json',
      'other.safetensors',
      'prompts.safetensors',
      'weights.safetensors',
    ]);
    const picture = await writePicture(join(root, 'one.png'), 200);
    const scored = await run(['score', picture, '--model', out]);
    expect(scored.lines()[0]).toMatchObject({ anomalous: true });
    expect(errorIn((await calibrate(data, '--out', out)).stderr)).toMatchObject({ code: 'E_EXISTS' });
    const left = await leave(out);
    expect((await calibrate(data, '--out', out, '--force')).code).toBe(0);
    expect(await isThere(left)).toBe(false);
    const foreign = join(root, `foreign-${round}`);
    await mkdir(foreign);
    await writeFile(join(foreign, 'precious.txt'), 'keep me');
    const loadAddon = () => Promise.reject(new Error('told too late'));
    const taken = await run(['calibrate', data, '--model', model, '--out', foreign, '--force'], {
      loadAddon,
    });
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('is not a model folder')]);
    expect(await readFile(join(foreign, 'precious.txt'), 'utf8')).toBe('keep me');
    expect(errorIn((await calibrate(data, '--out', join(model, 'inside'))).stderr)).toMatchObject({
      code: 'E_USAGE',
    });
  });

  it('of a model that ships with the package goes into a file of the user, which is read with the model', async () => {
    const { lines } = await calibrate(data);
    const {
      file: _,
      failed: __,
      warnings: ___,
      ...calibration
    } = lines()[0] as unknown as Calibration & { file: null; failed: []; warnings?: string[] };
    const embedded = await readModelJson(join(embeddedModels, 'crane-mini', 'model.json'));
    const before = await readFile(join(embeddedModels, 'crane-mini', 'model.json'));
    const file = await keepWithModel(
      { model: embedded, calibration, isOwnSettings: true, env },
      { log: () => {} },
    );
    expect(file).toBe(join(env['CRANE_CALIBRATIONS']!, `${calibration.settings}.json`));
    expect(await readFile(join(embeddedModels, 'crane-mini', 'model.json'))).toEqual(before);
    // found by the name of the model in its label
    expect(await readUserCalibrations('toy', env)).toEqual([calibration]);
    expect(await readUserCalibrations('crane-mini', env)).toEqual([]);
    expect(await score(200)).toMatchObject({ anomalous: true, threshold: calibration.image.threshold });
    expect(await score(200, '--sigma', '2')).toMatchObject({ threshold: null });
    await writeFile(file, '{');
    const damaged = await run(['score', join(root, 'one.png'), '--model', model, '--json']);
    expect(damaged.code).toBe(4);
    expect(errorIn(damaged.stderr)).toMatchObject({
      code: 'E_CALIBRATION',
      message: expect.stringContaining(file),
    });
  });

  it('says with --verbose where the threshold comes from', async () => {
    await calibrate(data, '--write');
    const picture = await writePicture(join(root, 'one.png'), 200);
    const { stderr } = await run(['score', picture, '--model', model, '--verbose']);
    expect(stderr).toMatch(/threshold 0\.5\d+: best F1, from 15 pictures of parts, \d{4}-\d\d-\d\d/);
  });
});

describe('pictures that the prompts were learned on', () => {
  it('are used with a loud warning, which stays with the calibration', async () => {
    const toys = join(root, 'toys');
    await mkdir(toys, { recursive: true });
    for (const brightness of k_normal) await writePicture(join(toys, `${brightness}.png`), brightness);
    const { stdout } = await run([
      'calibrate',
      toys,
      '--normal-only',
      '--false-alarm-rate',
      '0.1',
      '--model',
      model,
      '--write',
    ]);
    expect(stdout).toContain('WARNING');
    expect((await readModelJson(join(model, 'model.json'))).calibrations![0]!.learnedOn).toBe('toys');
  });
});

it('C10: renamed copies of the pictures are known by their content with the default prompts', async () => {
  const content = await sha256OfFile(join(data, 'part', 'test', 'good', '50.png'));
  const metadata = { learnedOn: '["x"]', learnedPictures: content.slice(0, 12) };
  await writeFile(join(model, 'prompts.safetensors'), JSON.stringify({ metadata }));
  const { stdout } = await run(['calibrate', data, '--model', model]);
  expect(stdout).toContain('WARNING');
  expect(stdout).toContain('1 of its 15 pictures');
});

describe('the library call', () => {
  const engine = { settings: () => ({}) };
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['no engine', { data: 'x' }],
    ['no data', { engine }],
    ['a list of data', { engine, data: ['x'] }],
    ['a name that is not known', { engine, data: 'x', normalsOnly: true }],
    ['text for a flag', { engine, data: 'x', normalOnly: 'yes' }],
    ['text for a rate', { engine, data: 'x', falseAlarmRate: '0.1' }],
    ['a rate of 1', { engine, data: 'x', falseAlarmRate: 1 }],
    ['a split that is not known', { engine, data: 'x', split: 'all' }],
    ['a layout that is no text', { engine, data: 'x', layout: 5 }],
    ['a signal that is none', { engine, data: 'x', signal: {} }],
    ['a callback that is none', { engine, data: 'x', onProgress: 4 }],
  ])('is E_USAGE before anything is read: %s', async (_, options) => {
    await expect(calibrateInLibrary(options as never)).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});
