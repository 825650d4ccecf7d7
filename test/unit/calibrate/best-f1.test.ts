import { describe, expect, it } from 'vitest';
import { bestF1, scoreLevels } from '../../../src/calibrate/best-f1.js';
import { k_mapLevels, mapLevels, mapThresholds } from '../../../src/calibrate/map-levels.js';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';

const options = { resamples: 300, seed: 1, stream: 'test' };

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

describe('best F1 of picture scores', () => {
  it('stands halfway between the lowest score above it and the next lower one', () => {
    const chosen = bestF1(scoreLevels(labelled([0.1, 0.2], [0.6, 0.9])), options)!;
    expect(chosen).toMatchObject({ threshold: 0.4, f1: 1, precision: 1, recall: 1 });
  });

  it('is as good as any threshold, for random scores with ties', () => {
    const random = SeededGenerator.of(3);
    for (let round = 0; round < 40; round++) {
      const pictures = Array.from({ length: 3 + random.below(12) }, (_, at) => ({
        score: random.below(6) / 8,
        isAnomalous: at === 0 || random.below(2) === 1,
      }));
      const { f1, threshold, precision, recall } = bestF1(scoreLevels(pictures), {
        ...options,
        resamples: 0,
      })!;
      expect(f1).toBeCloseTo(slowBest(pictures), 12);
      const called = pictures.filter(({ score }) => score >= threshold);
      const found = called.filter(({ isAnomalous }) => isAnomalous).length;
      expect(precision).toBeCloseTo(found / called.length, 12);
      expect(recall).toBeCloseTo(found / pictures.filter(({ isAnomalous }) => isAnomalous).length, 12);
    }
  });

  it('takes the highest of equally good thresholds', () => {
    // F1 is 2/3 at 0.9 and at 0.4
    expect(bestF1(scoreLevels(labelled([0.5, 0.5], [0.4, 0.9])), options)!.threshold).toBe(0.7);
  });

  it('has a threshold also where it calls everything anomalous, and none without anomalous pictures', () => {
    expect(bestF1(scoreLevels(labelled([0.5], [0.5])), options)!.threshold).toBe(0.5);
    expect(bestF1(scoreLevels(labelled([0.5, 0.6], [])), options)).toBeUndefined();
  });

  it('keeps neighbouring numbers apart', () => {
    const next = 0.5 + 2 ** -53;
    const { threshold } = bestF1(scoreLevels(labelled([0.5], [next])), options)!;
    expect(0.5 >= threshold).toBe(false);
    expect(next >= threshold).toBe(true);
  });

  it('is less sure with fewer pictures, and sure where the labels are far apart', () => {
    const random = SeededGenerator.of(5);
    const draw = (count: number) =>
      labelled(
        Array.from({ length: count }, () => random.float() * 0.7),
        Array.from({ length: count }, () => 0.3 + random.float() * 0.7),
      );
    const width = (count: number) => {
      const { interval, threshold } = bestF1(scoreLevels(draw(count)), options)!;
      expect(threshold).toBeGreaterThanOrEqual(interval.low - 1e-9);
      expect(threshold).toBeLessThanOrEqual(interval.high + 1e-9);
      return interval.high - interval.low;
    };
    expect(width(400)).toBeLessThan(width(12));
  });

  it('expects no more on unseen pictures than on its own, and the same for the same seed', () => {
    const random = SeededGenerator.of(9);
    const pictures = labelled(
      Array.from({ length: 30 }, () => random.float()),
      Array.from({ length: 30 }, () => random.float()),
    );
    const first = bestF1(scoreLevels(pictures), options)!;
    expect(first.f1Unseen!).toBeLessThan(first.f1);
    expect(bestF1(scoreLevels(pictures), options)).toEqual(first);
    expect(bestF1(scoreLevels(pictures), { ...options, seed: 2 })!.interval).not.toEqual(first.interval);
  });
});

describe('best F1 of pixels', () => {
  const map = (values: number[]) => ({ data: Float32Array.from(values), width: values.length, height: 1 });
  const mask = (values: number[]) => ({ data: Uint8Array.from(values), width: values.length, height: 1 });

  it('counts pixels of all pictures, those of normal ones as normal', () => {
    const pictures = [
      mapLevels(map([0.1, 0.8, 0.9, 0.2]), mask([0, 1, 1, 0]), true),
      mapLevels(map([0.3, 0.1, 0.85, 0.1]), null, false),
    ];
    const { threshold, f1, precision, recall } = bestF1({ thresholds: mapThresholds, pictures }, options)!;
    // at 0.8: two found, one alarm
    expect(f1).toBeCloseTo(0.8, 12);
    expect([precision, recall]).toEqual([2 / 3, 1]);
    expect(threshold).toBeLessThanOrEqual(0.8);
    expect(threshold).toBeGreaterThan(0.8 - 1 / k_mapLevels);
  });

  it('puts every value at a threshold that it reaches, and at none that it does not', () => {
    for (const value of [0, 1 / k_mapLevels, 0.5, 0.99999, 1]) {
      const { level } = mapLevels(map([value]), null, false);
      const threshold = mapThresholds[level[0]!]!;
      expect(value).toBeGreaterThanOrEqual(threshold);
      if (level[0]! > 0) expect(value).toBeLessThan(mapThresholds[level[0]! - 1]!);
    }
  });
});
