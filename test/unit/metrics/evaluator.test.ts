import { describe, expect, it } from 'vitest';
import { CraneError } from '../../../src/errors.js';
import { createEvaluator } from '../../../src/metrics/index.js';
import { codeOf } from '../awaiting.js';
import { builtAddon } from '../models/weights/built-addon.js';
import { fakeEvaluator } from './fake-evaluator.js';

const picture = { className: 'a', score: 1, label: true } as const;

describe('an evaluator', () => {
  it('waits for additions in flight before it finishes their class', async () => {
    const fake = fakeEvaluator();
    const evaluator = await createEvaluator({}, fake.addon);
    const adding = [evaluator.add(picture), evaluator.add(picture)];
    await evaluator.finishClass('a');
    await Promise.all(adding);
    expect(fake.log.at(-1)).toBe('finish a');
  });

  it('computes a class once, however often it is asked', async () => {
    const fake = fakeEvaluator();
    const evaluator = await createEvaluator({}, fake.addon);
    await evaluator.add(picture);
    const [first, second] = await Promise.all([evaluator.finishClass('a'), evaluator.finishClass('a')]);
    expect(second).toBe(first);
    expect((await evaluator.finish()).classes).toEqual([first]);
    expect(fake.log.filter((line) => line === 'finish a')).toHaveLength(1);
  });

  it('names the classes there are when asked for another', async () => {
    const evaluator = await createEvaluator({}, fakeEvaluator().addon);
    await evaluator.add(picture);
    await expect(evaluator.finishClass('b')).rejects.toMatchObject({
      code: 'E_USAGE',
      hint: 'classes are a',
    });
    expect(await codeOf(evaluator.finishClass(Symbol('b') as never))).toBe('E_USAGE');
  });

  it('rejects everything once it is disposed, and may be disposed again', async () => {
    const fake = fakeEvaluator();
    const evaluator = await createEvaluator({}, fake.addon);
    await evaluator.add(picture);
    evaluator.dispose();
    evaluator.dispose();
    expect(fake.disposed()).toBe(1);
    await expect(evaluator.add(picture)).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await expect(evaluator.finishClass('a')).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await expect(evaluator.finish()).rejects.toMatchObject({ code: 'E_DISPOSED' });
  });

  it('does not let a picture that failed stand in the way of the others', async () => {
    const fake = fakeEvaluator((_, { name }) => {
      if (name === 'bad') throw Object.assign(new Error('bad'), { code: 'E_IMAGE_NONFINITE' });
    });
    const evaluator = await createEvaluator({}, fake.addon);
    await expect(evaluator.add({ ...picture, name: 'bad' })).rejects.toMatchObject({
      code: 'E_IMAGE_NONFINITE',
    });
    await evaluator.add(picture);
    expect((await evaluator.finish()).classes).toHaveLength(1);
  });

  it('lets nothing of the engine leave without a code', async () => {
    const createMetricEvaluator = () => {
      throw Object.assign(new Error('limit is not in (0, 1]'), { code: 'E_USAGE' });
    };
    const error = await createEvaluator({}, { createMetricEvaluator }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CraneError);
    expect(error).toMatchObject({ code: 'E_USAGE', message: 'limit is not in (0, 1]' });
  });
});

const addon = await builtAddon();

describe.skipIf(!addon?.createMetricEvaluator)('the built engine', () => {
  const map = () => ({ data: Float32Array.of(0.1, 0.2, 0.3, 0.4), width: 2, height: 2 });
  const mask = () => ({ data: Uint8Array.of(0, 1, 0, 255), width: 2, height: 2 });

  it('reads arrays before add() returns: the caller may change them at once', async () => {
    const evaluator = await createEvaluator({ mapThreshold: 0.3 }, addon);
    const mine = { className: 'a', score: 0.5, map: map(), mask: mask() };
    const adding = evaluator.add(mine);
    mine.map.data.fill(Number.NaN);
    mine.mask.data.fill(0);
    await adding;
    const { pixel, image } = (await evaluator.finish()).classes[0]!;
    expect(pixel.auroc).toEqual({ value: 0.75 });
    expect(pixel.atThreshold).toMatchObject({ truePositives: 1, falsePositives: 1, falseNegatives: 1 });
    expect(image.auroc).toEqual({ value: null, reason: 'one label only' });
    expect(image.anomalous).toBe(1);
  });

  it('names the picture that holds NaN and goes on without it', async () => {
    const evaluator = await createEvaluator({}, addon);
    const bad = map();
    bad.data[3] = Number.NaN;
    await evaluator.add({ className: 'a', map: map(), mask: mask() });
    await expect(
      evaluator.add({ className: 'a', name: 'bad.png', map: bad, mask: mask() }),
    ).rejects.toMatchObject({ code: 'E_IMAGE_NONFINITE', message: 'bad.png: the map holds NaN' });
    expect((await evaluator.finish()).classes[0]?.pixel.normal).toBe(2);
  });

  it('knows no class whose pictures were all refused', async () => {
    const evaluator = await createEvaluator({}, addon);
    await expect(evaluator.add({ ...picture, score: Number.NaN })).rejects.toThrow('NaN');
    const file = { className: 'b', maps: { path: '/no/such/file' }, count: 1, height: 1, width: 1 };
    await expect(evaluator.addMapped(file)).rejects.toMatchObject({ code: 'E_IO_READ' });
    await evaluator.add({ className: 'c', score: 0.9, label: true });
    await evaluator.add({ className: 'c', score: 0.1, label: false });
    await expect(evaluator.finishClass('b')).rejects.toMatchObject({
      code: 'E_USAGE',
      message: 'class "b" has no pictures',
    });
    const { classes, mean } = await evaluator.finish();
    expect(classes.map(({ className }) => className)).toEqual(['c']);
    expect(mean.asZero.image.auroc).toEqual({ value: 1, classes: 1 });
  });

  it('gives no range of maps where there are none', async () => {
    const evaluator = await createEvaluator({}, addon);
    await evaluator.add(picture);
    await evaluator.add({ className: 'b', map: map(), mask: mask() });
    const [a, b] = (await evaluator.finish()).classes;
    expect(a!.pixel).toMatchObject({ lowest: null, highest: null });
    expect(b!.pixel).toMatchObject({ lowest: Math.fround(0.1), highest: Math.fround(0.4) });
  });

  it('gives curves, histograms and the threshold of the best F1', async () => {
    const evaluator = await createEvaluator({ curvePoints: 10, histogramBins: 2 }, addon);
    await evaluator.add({ className: 'a', map: map(), mask: mask() });
    const { pixel } = (await evaluator.finish()).classes[0]!;
    expect(pixel.f1Max.value).toBeCloseTo(0.8, 15);
    expect(pixel.f1Max.threshold).toBe(Math.fround(0.2));
    expect([...pixel.histogram!.normal]).toEqual([1, 1]);
    expect([...pixel.curves!.roc.x]).toEqual([0, 0, 0.5, 0.5, 1]);
    expect([...pixel.curves!.pro.y]).toEqual([0, 0.5, 0.5, 1, 1]);
  });

  it('refuses arrays whose length does not fit', async () => {
    const evaluator = await createEvaluator({}, addon);
    const short = { ...map(), data: new Float32Array(3) };
    await expect(evaluator.add({ className: 'a', name: 'p', label: 0, map: short })).rejects.toMatchObject({
      code: 'E_IMAGE_SHAPE',
      message: 'p: a map of 2 x 2 needs 4 values, got 3',
    });
  });
});
