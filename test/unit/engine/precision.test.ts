import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { choosePrecision } from '../../../src/engine/choose-precision.js';
import { diagnose } from '../../../src/engine/diagnose.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import { readingOf } from '../../../src/images/reading.js';
import { type Model, parseModelJson } from '../../../src/models/model-json.js';
import { thisMachine } from '../../../src/runs/machine.js';
import { featureKey, featureSettings } from '../../../src/train/feature-key.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { pixels, writePicture } from './toy-model.js';

const toy = useToyModel();

const shown = {
  bfloat16: {
    dataSets: ['a'],
    pictures: 90,
    draws: 200,
    imagePoints: [-0.4, 0.9] as [number, number],
    pixelPoints: [-0.2, 0.1] as [number, number],
    kendallTau: 0.995,
    scoreDifference: { median: 0.001, p95: 0.002, max: 0.004 },
  },
};
const both = ['float32', 'bfloat16'] as const;

describe('auto', () => {
  it('is float32 unless model.json shows bfloat16 to be harmless and the CPU has it', () => {
    expect(choosePrecision('auto', {}, 'cpu', both)).toEqual({
      precision: 'float32',
      why: 'auto: exact, and model.json does not say that bfloat16 is harmless',
    });
    expect(choosePrecision('auto', { precisions: shown }, 'cpu', ['float32']).precision).toBe('float32');
    expect(choosePrecision('auto', { precisions: shown }, 'cuda:0', both).precision).toBe('float32');
    expect(choosePrecision('auto', { precisions: shown }, 'cpu', both)).toEqual({
      precision: 'bfloat16',
      why: 'auto: on 90 pictures it moves pixel figures by at most 0.2, image figures by at most 0.9 points (model.json)',
    });
  });

  it('gives way to what is asked for', () => {
    for (const precision of both) {
      expect(choosePrecision(precision, { precisions: shown }, 'cpu', both).precision).toBe(precision);
    }
  });

  it('reaches the native engine, and the facts say what was chosen and why', async () => {
    const addon = makeFakeAddon();
    const engine = await openEngine(addon, { ...toy.model(), precisions: shown });
    expect(addon.log.opened[0]?.precision).toBe('bfloat16');
    expect(engine.facts).toMatchObject({
      precision: 'bfloat16',
      precisionWhy: expect.stringMatching(/^auto: on 90/),
    });
    const exact = await openEngine(addon, { ...toy.model(), precisions: shown }, { precision: 'float32' });
    expect(exact.facts).toMatchObject({ precision: 'float32', precisionWhy: 'asked for' });
  });

  it('is refused where model.json claims what was not measured, or what is not harmless', async () => {
    const { folder: _, ...description } = toy.model();
    const parse = (change: object) =>
      parseModelJson(
        JSON.stringify({ ...description, precisions: { bfloat16: { ...shown.bfloat16, ...change } } }),
        'model.json',
      );
    expect(parse({}).precisions?.bfloat16?.draws).toBe(200);
    for (const [change, message] of [
      [{ kendallTau: undefined }, /precisions\.bfloat16/],
      [{ imagePoints: [-1.01, 0] }, /image figures reach from -1\.01 to 0 points, more than 1/],
      [{ imagePoints: [0, 1.01] }, /image figures reach from 0 to 1\.01/],
      [{ pixelPoints: [-0.31, 0] }, /pixel figures reach from -0\.31 to 0 points, more than 0\.3/],
      [{ pixelPoints: [0, 0.31] }, /pixel figures/],
      [{ kendallTau: 0.989 }, /Kendall's tau of the scores is 0\.989/],
      [{ draws: 20 }, /20 draws are fewer than 200/],
    ] as const) {
      expect(() => parse(change), JSON.stringify(change)).toThrow(message);
    }
  });
});

describe.each(['bfloat16', 'int8'] as const)('a score in %s is no score in float32', (other) => {
  it('has another label, and stored thresholds do not hold for it', async () => {
    const addon = makeFakeAddon();
    const exact = await openEngine(addon, toy.model());
    const short = await openEngine(addon, toy.model(), { precision: other });
    const one = await exact.score(pixels(200));
    const coarse = await short.score(pixels(200));
    expect(coarse.model).not.toBe(one.model);
    expect([one.threshold, coarse.threshold]).toEqual([0.5, null]);
    expect((await short.score(pixels(200), { threshold: 0.5 })).threshold).toBe(0.5);
  });

  it('takes the threshold that was calibrated for it', async () => {
    const addon = makeFakeAddon();
    const label = (await openEngine(addon, toy.model(), { precision: other })).facts.model;
    const calibration = {
      settings: label,
      date: '2026-01-01T00:00:00.000Z',
      image: { threshold: 0.61 },
    } as NonNullable<Model['calibrations']>[number];
    const calibrated = { ...toy.model(), calibrations: [calibration] };
    const thresholdAt = async (precision: 'float32' | typeof other) => {
      const engine = await openEngine(addon, calibrated, { precision });
      await engine.score(pixels(200));
      return engine.settings().threshold;
    };
    expect(await thresholdAt(other)).toBe(0.61);
    expect(await thresholdAt('float32')).toBe(0.5);
  });

  it('comes from other cached features', async () => {
    const addon = makeFakeAddon();
    const keyAt = async (precision: 'float32' | typeof other) => {
      const engine = await openEngine(addon, toy.model(), { precision });
      const { native, model } = engine.trainingParts;
      return featureKey(
        featureSettings({
          model,
          size: model.input,
          method: model.method,
          shape: native.featureShape(model.method),
          precision: 'f16',
          reading: readingOf(),
          weights: [],
          machine: await thisMachine(addon, native.facts),
        }),
      );
    };
    expect(await keyAt(other)).not.toBe(await keyAt('float32'));
  });
});

describe('bfloat16 and int8', () => {
  it('have labels of their own', async () => {
    const addon = makeFakeAddon();
    const labelAt = async (precision: 'bfloat16' | 'int8') =>
      (await openEngine(addon, toy.model(), { precision })).facts.model;
    expect(await labelAt('int8')).not.toBe(await labelAt('bfloat16'));
  });

  it('auto is never int8, whatever model.json shows', () => {
    const all = ['float32', 'bfloat16', 'int8'] as const;
    expect(choosePrecision('auto', {}, 'cpu', all).precision).toBe('float32');
    expect(choosePrecision('auto', { precisions: shown }, 'cpu', all).precision).toBe('bfloat16');
  });
});

describe('doctor', () => {
  const findings = async (golden: Model['golden'], precision: 'float32' | 'bfloat16' | 'int8') => {
    const { folder: _, ...description } = toy.model();
    await writeFile(toy.at('model.json'), JSON.stringify({ ...description, golden }));
    const list = [];
    const found = async () => ({ addon: makeFakeAddon() });
    for await (const finding of diagnose(found, toy.at(), { precision }, {})) list.push(finding);
    return list;
  };

  it('says which precision was chosen and why, and holds the golden case to the tolerance of that precision', async () => {
    await writePicture(toy.at('golden.png'), 204, 28, 28);
    const golden = { picture: 'golden.png', score: 0.805, tolerance: 1e-4 };
    const about = async (precision: 'float32' | 'bfloat16' | 'int8', own: Model['golden']) =>
      (await findings(own, precision)).find((finding) => finding.about === 'golden case')?.state;
    expect(await about('float32', golden)).toBe('fault');
    expect(await about('bfloat16', golden)).toBe('warning');
    expect(await about('bfloat16', { ...golden, tolerances: { bfloat16: 0.01 } })).toBe('ok');
    expect(await about('bfloat16', { ...golden, tolerances: { bfloat16: 0.001 } })).toBe('fault');
    expect(await about('int8', { ...golden, tolerances: { bfloat16: 0.01 } })).toBe('warning');
    expect(await about('int8', { ...golden, tolerances: { int8: 0.01 } })).toBe('ok');
    const named = (await findings(golden, 'bfloat16')).find((finding) => finding.about === 'precision');
    expect(named?.text).toContain('bfloat16 (asked for)');
  });
});
