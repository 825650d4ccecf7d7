import { expect, it } from 'vitest';
import { meansOf } from '../../../src/evaluate/k-shot-figures.js';
import type { KShotClass } from '../../../src/evaluate/k-shot-run.js';

const means = (...figures: number[]) => {
  const draws = figures.map((auroc, seed) => ({ shots: 1, seed, figures: { auroc } }));
  const classes = [{ draws }] as unknown as KShotClass[];
  return meansOf(classes, [1], [...figures.keys()], ['auroc'])[0]!.figures['auroc'];
};

it('an interval over draws is of Student, and ends where figures do', () => {
  expect(means(0.5, 0.5002)!.interval).toEqual({
    low: expect.closeTo(0.5001 - 12.7062 * 0.0001, 7),
    high: expect.closeTo(0.5001 + 12.7062 * 0.0001, 7),
  });
  expect(means(0.7, 0.95)!.interval).toEqual({ low: 0, high: 1 });
  expect(means(0.7)!.interval).toBeNull();
});
