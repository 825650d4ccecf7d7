import { describe, expect, it } from 'vitest';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { bestLevel, levelsOf } from '../../../src/metrics/level-counts.js';
import { f1AtLevel, quantile, rankingFigures } from './slow-bootstraps.js';
import { slowAp, slowAuroc, slowF1 } from './slow-metrics.js';

const generator = SeededGenerator.of(5);

/** Highest score first, with many ties. */
function somePictures(count: number): { score: number; isAnomalous: boolean }[] {
  return Array.from({ length: count }, () => {
    const isAnomalous = generator.float() < 0.4;
    return { score: Math.round(10 * (generator.float() + (isAnomalous ? 0.4 : 0))) / 10, isAnomalous };
  }).sort((a, b) => b.score - a.score);
}

function countsOf(sorted: ReturnType<typeof somePictures>, times: readonly number[]) {
  const { level, levels } = levelsOf(sorted.map(({ score }) => score));
  const counts = { anomalous: new Uint32Array(levels), normal: new Uint32Array(levels) };
  for (const [at, { isAnomalous }] of sorted.entries())
    counts[isAnomalous ? 'anomalous' : 'normal'][level[at]!]! += times[at]!;
  return counts;
}

describe('figures of pictures that count several times', () => {
  it('are those of the pictures written out, by slow definitions', () => {
    let compared = 0;
    for (let round = 0; round < 200; round++) {
      const sorted = somePictures(2 + generator.below(20));
      const times = sorted.map(() => generator.below(4));
      const written = sorted.flatMap((picture, at) => Array.from({ length: times[at]! }, () => picture));
      const found = rankingFigures(countsOf(sorted, times));
      const labels = new Set(written.map(({ isAnomalous }) => isAnomalous));
      if (labels.size < 2) {
        expect(found).toBeUndefined();
        continue;
      }
      compared++;
      const entries = written.map(({ score, isAnomalous }) => ({ score, label: isAnomalous }));
      expect(found!.auroc).toBeCloseTo(slowAuroc(written), 12);
      expect(found!.ap).toBeCloseTo(slowAp(entries), 12);
      expect(found!.f1Max).toBeCloseTo(slowF1(entries).value, 12);
    }
    expect(compared).toBeGreaterThan(100);
  });
});

describe('the level of the best F1', () => {
  it('is the highest of equal ones, and never a level without a count', () => {
    // 2/3 at level 1 (one of two found, no alarm) and at level 3 (both found, two alarms)
    const tied = { anomalous: [0, 1, 0, 1], normal: [0, 0, 2, 0] };
    expect(bestLevel(tied)).toEqual({ level: 1, f1: 2 / 3, precision: 1, recall: 0.5 });
    expect(f1AtLevel(tied, 3)).toBe(2 / 3);
    expect(f1AtLevel(tied, 2)).toBe(0.4);
  });

  it('is not defined without an anomalous count', () => {
    expect(bestLevel({ anomalous: [0, 0], normal: [1, 1] })).toBeUndefined();
    expect(f1AtLevel({ anomalous: [0, 0], normal: [1, 1] }, 1)).toBeUndefined();
    expect(levelsOf([])).toEqual({ level: new Uint32Array(), levels: 0 });
  });
});

it('quantiles lie on the line between neighbours', () => {
  expect([0, 0.25, 0.5, 1].map((share) => quantile([1, 2, 4], share))).toEqual([1, 1.5, 2, 4]);
  expect(quantile(Float64Array.of(7), 0.3)).toBe(7);
});
