import { describe, expect, it } from 'vitest';
import { compareFixture } from '../../parity/compare/fixture-case.js';
import type { SafetensorsFile, Tensor } from '../../parity/fixture/safetensors.js';
import { CaseReport } from '../../parity/report/case-report.js';

const context = { size: 'toy', flips: false } as const;

function fixture(tensors: Record<string, Omit<Tensor, 'dtype'>>): SafetensorsFile {
  return {
    names: () => Object.keys(tensors),
    has: (name: string) => name in tensors,
    shape: (name: string) => tensors[name]!.shape,
    read: (name: string) => ({ dtype: 'F32', ...tensors[name]! }),
  } as unknown as SafetensorsFile;
}

const stage = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });

describe('compareFixture', () => {
  it('passes when every key is within its tolerance', () => {
    const report = new CaseReport('case');
    compareFixture(fixture({ score: stage([1], 0.5) }), { score: stage([1], 0.500001) }, report, { context });
    expect([report.passed, report.values]).toEqual([true, 1]);
  });

  it('fails on a key that it does not know', () => {
    const report = new CaseReport('case');
    compareFixture(fixture({ scoer: stage([1], 0.5) }), { scoer: stage([1], 0.5) }, report, { context });
    expect(report.faults).toEqual(['unknown key "scoer": no tolerance is known for it']);
  });

  it('fails on a stage that the engine did not trace', () => {
    const report = new CaseReport('case');
    compareFixture(fixture({ score: stage([1], 0.5) }), {}, report, { context });
    expect(report.passed).toBe(false);
  });

  it('compares one of several equal maps, and fails when they are not equal', () => {
    const expected = fixture({ pixel_logits: stage([1, 1, 1, 2], 1, 2) });
    const equal = new CaseReport('equal');
    compareFixture(expected, { pixel_logits: stage([2, 1, 1, 2], 1, 2, 1, 2) }, equal, { context });
    expect(equal.passed).toBe(true);
    const unequal = new CaseReport('unequal');
    compareFixture(expected, { pixel_logits: stage([2, 1, 1, 2], 1, 2, 1, 2.000001) }, unequal, { context });
    expect(unequal.passed).toBe(false);
  });

  it('says which text rows the engine left out', () => {
    const report = new CaseReport('text');
    const expected = fixture({ 'static.block01_first3': stage([1, 3, 1], 1, 2, 3) });
    compareFixture(expected, { 'static.block01': stage([1, 2, 1], 1, 2) }, report, { context });
    expect(report.passed).toBe(true);
    expect(report.skipped.map(({ key }) => key)).toEqual(['static.block01_first3 rows 2..2']);
  });
});
