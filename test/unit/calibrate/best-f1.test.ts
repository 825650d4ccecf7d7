import { describe, expect, it } from 'vitest';
import { bestF1OfMaps, bestF1OfScores } from '../../../src/calibrate/best-f1.js';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { slowBootstraps } from '../metrics/slow-bootstraps.js';
import { builtAddon } from '../models/weights/built-addon.js';

const options = { resamples: 300, seed: 1, stream: 'test' };
const k_mapLevels = 4096;

const built = await builtAddon();
const computers = [
  { by: 'the definitions', addon: slowBootstraps },
  ...(built?.bestThreshold ? [{ by: 'the built engine', addon: built }] : []),
];

function labelled(normal: number[], anomalous: number[]) {
  return [
    ...normal.map((score) => ({ score, isAnomalous: false })),
    ...anomalous.map((score) => ({ score, isAnomalous: true })),
  ];
}

/** By trying every threshold. */
function slowBest(pictures: { score: number; isAnomalous: boolean }[]) {
  const all = pictures.filter(({ isAnomalous }) => isAnomalous).length;
  const f1At = (threshold: number) => {
    const called = pictures.filter(({ score }) => score >= threshold);
    return (2 * called.filter(({ isAnomalous }) => isAnomalous).length) / (called.length + all);
  };
  return Math.max(...pictures.map(({ score }) => f1At(score)));
}

describe.each(computers)('best F1 of picture scores by $by', ({ addon }) => {
  const bestF1 = async (pictures: Parameters<typeof bestF1OfScores>[0], choice = options) =>
    (await bestF1OfScores(pictures, choice, addon))!;

  it('stands halfway between the lowest score above it and the next lower one', async () => {
    const chosen = await bestF1(labelled([0.1, 0.2], [0.6, 0.9]), options);
    expect(chosen).toMatchObject({ threshold: 0.4, f1: 1, precision: 1, recall: 1 });
  });

  it('is as good as any threshold, for random scores with ties', async () => {
    const random = SeededGenerator.of(3);
    for (let round = 0; round < 40; round++) {
      const pictures = Array.from({ length: 3 + random.below(12) }, (_, at) => ({
        score: random.below(6) / 8,
        isAnomalous: at === 0 || random.below(2) === 1,
      }));
      const { f1, threshold, precision, recall } = await bestF1(pictures, {
        ...options,
        resamples: 0,
      });
      expect(f1).toBeCloseTo(slowBest(pictures), 12);
      const called = pictures.filter(({ score }) => score >= threshold);
      const found = called.filter(({ isAnomalous }) => isAnomalous).length;
      expect(precision).toBeCloseTo(found / called.length, 12);
      expect(recall).toBeCloseTo(found / pictures.filter(({ isAnomalous }) => isAnomalous).length, 12);
    }
  });

  it('takes the highest of equally good thresholds', async () => {
    // F1 is 2/3 at 0.9 and at 0.4
    expect((await bestF1(labelled([0.5, 0.5], [0.4, 0.9]), options)).threshold).toBe(0.7);
  });

  it('has a threshold also where it calls everything anomalous, and none without anomalous pictures', async () => {
    expect((await bestF1(labelled([0.5], [0.5]), options)).threshold).toBe(0.5);
    expect(await bestF1(labelled([0.5, 0.6], []), options)).toBeUndefined();
  });

  it('keeps neighbouring numbers apart', async () => {
    const next = 0.5 + 2 ** -53;
    const { threshold } = await bestF1(labelled([0.5], [next]), options);
    expect(0.5 >= threshold).toBe(false);
    expect(next >= threshold).toBe(true);
  });

  it('is less sure with fewer pictures, and sure where the labels are far apart', async () => {
    const random = SeededGenerator.of(5);
    const draw = (count: number) =>
      labelled(
        Array.from({ length: count }, () => random.float() * 0.7),
        Array.from({ length: count }, () => 0.3 + random.float() * 0.7),
      );
    const width = async (count: number) => {
      const { interval, threshold } = await bestF1(draw(count), options);
      expect(threshold).toBeGreaterThanOrEqual(interval.low - 1e-9);
      expect(threshold).toBeLessThanOrEqual(interval.high + 1e-9);
      return interval.high - interval.low;
    };
    expect(await width(400)).toBeLessThan(await width(12));
  });

  it('expects no more on unseen pictures than on its own, and the same for the same seed', async () => {
    const random = SeededGenerator.of(9);
    const pictures = labelled(
      Array.from({ length: 30 }, () => random.float()),
      Array.from({ length: 30 }, () => random.float()),
    );
    const first = await bestF1(pictures, options);
    expect(first.f1Unseen!).toBeLessThan(first.f1);
    expect(await bestF1(pictures, options)).toEqual(first);
    expect((await bestF1(pictures, { ...options, seed: 2 })).interval).not.toEqual(first.interval);
  });
});

describe.each(computers)('best F1 of pixels by $by', ({ addon }) => {
  it('counts pixels of all pictures, those of normal ones as normal', async () => {
    const levels = addon.createMapLevels(k_mapLevels);
    await levels.add(Float32Array.of(0.1, 0.8, 0.9, 0.2), Uint8Array.of(0, 1, 1, 0), true);
    await levels.add(Float32Array.of(0.3, 0.1, 0.85, 0.1), null, false);
    const { threshold, f1, precision, recall } = (await bestF1OfMaps(levels, options))!;
    // at 0.8: two found, one alarm
    expect(f1).toBeCloseTo(0.8, 12);
    expect([precision, recall]).toEqual([2 / 3, 1]);
    expect(threshold).toBeLessThanOrEqual(0.8);
    expect(threshold).toBeGreaterThan(0.8 - 1 / k_mapLevels);
  });

  it('puts every value at a threshold that it reaches, and at none that it does not', async () => {
    for (const value of [0, 1 / k_mapLevels, 0.5, 0.99999, 1]) {
      const levels = addon.createMapLevels(k_mapLevels);
      await levels.add(Float32Array.of(value), Uint8Array.of(1), true);
      const { threshold } = (await bestF1OfMaps(levels, options))!;
      expect(Math.fround(value)).toBeGreaterThanOrEqual(threshold);
      if (threshold < (k_mapLevels - 1) / k_mapLevels)
        expect(Math.fround(value)).toBeLessThan(threshold + 1 / k_mapLevels);
    }
  });

  it('is none without an anomalous pixel', async () => {
    const levels = addon.createMapLevels(k_mapLevels);
    await levels.add(Float32Array.of(0.5), null, false);
    expect(await bestF1OfMaps(levels, options)).toBeUndefined();
  });
});
