import { describe, expect, it } from 'vitest';
import { createEvaluator } from '../../../src/metrics/index.js';
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
