/** A figure at exactly 0, 50 or 100 comes with its reason. */
import { describe, expect, it } from 'vitest';
import { implausible, perfect } from '../../../src/runs/plausibility.js';
import type { TestedClass } from '../../../src/runs/test-run.js';
import { figures, sampleRun } from '../evaluate/sample-run.js';

/** A class with these scores and this image AUROC. */
function classOf(scores: number[], auroc: number | null, className = 'tile'): TestedClass {
  const [base] = sampleRun().dataSets[0]!.classes;
  const pictures = scores.map((score, index) => ({
    index,
    path: `${index}.png`,
    maskPath: null,
    className,
    kind: 'good',
    isAnomalous: false,
    score,
    mapMax: score,
    width: 1,
    height: 1,
    map: null,
  }));
  return { ...base!, className, metrics: figures(className, auroc), pictures };
}
const told = (...classes: TestedClass[]) => implausible({ name: 'set', classes });

describe('figures that hardly anybody has', () => {
  it('one score for all pictures is told once, whatever the figure', () => {
    expect(told(classOf([0.3, 0.3], 0.5), classOf([0.3], null))).toEqual([
      expect.stringMatching(/^set: all 3 pictures have the same score \(0\.3\).*data check/),
    ]);
    expect(told(classOf([0.3], 0.7))).toEqual([]);
  });

  it('exactly 0 asks for the labels, and 50 is told where one class has one score', () => {
    expect(told(classOf([0.1, 0.2], 0))).toEqual([expect.stringMatching(/exactly 0.*labels exchanged/)]);
    expect(told(classOf([0.3, 0.3], 0.5, 'a'), classOf([0.1, 0.2], 0.5, 'b'))).toEqual([
      expect.stringMatching(/of a is exactly 50: all 2 pictures/),
    ]);
  });

  it('others are not', () => {
    expect(told(classOf([0.1, 0.2], 0.5), classOf([0.1, 0.4], 0.8), classOf([0.1, 0.5], null))).toEqual([]);
  });

  it('exactly 100 is a note with the number of pictures', () => {
    expect(
      perfect({ classes: [classOf([0.1], 0.9), classOf([0.1], 1, 'b'), classOf([0.1], 1, 'c')] }),
    ).toEqual([
      'image AUROC of b is exactly 100: each of 4 anomalous pictures scores above each of 3 normal ones, and so it is in 1 more',
    ]);
    expect(perfect({ classes: [classOf([0.1], 0.9)] })).toEqual([]);
  });
});
