import { describe, expect, it } from 'vitest';
import { pairwiseAuroc } from '../../data/pairwise-auroc.js';

const scored = (anomalous: number[], normal: number[]) => [
  ...anomalous.map((score) => ({ score, isAnomalous: true })),
  ...normal.map((score) => ({ score, isAnomalous: false })),
];

describe('pairwiseAuroc', () => {
  it('counts won pairs, ties half', () => {
    expect(pairwiseAuroc(scored([3, 1], [2, 1]))).toBe((1 + 1 + 0 + 0.5) / 4);
    expect(pairwiseAuroc(scored([2], [1]))).toBe(1);
    expect(pairwiseAuroc(scored([1], [2]))).toBe(0);
  });

  it('is undefined with one label', () => {
    expect(pairwiseAuroc(scored([1], []))).toBeUndefined();
    expect(pairwiseAuroc(scored([], [1]))).toBeUndefined();
  });
});
