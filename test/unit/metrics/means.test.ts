import { describe, expect, it } from 'vitest';
import { evaluationOf } from '../../../src/metrics/means.js';
import { classMetrics, missing } from './fake-evaluator.js';

describe('means over classes', () => {
  it('leave an undefined figure out, and count it as 0 beside that', () => {
    const { mean } = evaluationOf([
      classMetrics('a', { value: 0.8 }),
      classMetrics('b', missing),
      classMetrics('c', { value: 0.4 }),
    ]);
    expect(mean.leftOut.image.auroc.value).toBeCloseTo(0.6, 15);
    expect(mean.leftOut.image.auroc.classes).toBe(2);
    expect(mean.asZero.image.auroc.value).toBeCloseTo(0.4, 15);
    expect(mean.asZero.image.auroc.classes).toBe(3);
    expect(mean.leftOut.pixel.aupro[0]?.exact.value).toBeCloseTo(0.6, 15);
  });

  it('are null where no class has the figure, and where there is no class', () => {
    const { mean } = evaluationOf([classMetrics('a'), classMetrics('b')]);
    expect(mean.leftOut.pixel.aupro[0]?.reference200).toEqual({ value: null, classes: 0 });
    expect(mean.asZero.pixel.aupro[0]?.reference200).toEqual({ value: 0, classes: 2 });
    expect(evaluationOf([]).mean.leftOut.image.ap).toEqual({ value: null, classes: 0 });
  });
});
