import { describe, expect, it } from 'vitest';
import { compareBits, compareNumbers } from '../../parity/compare/compare.js';

const tolerance = { stage: 'test', absolute: 0.1, reason: 'test' };
const numbers = (data: number[], shape = [data.length]) => ({ shape, data });

describe('compareNumbers', () => {
  it('passes within the tolerance and reports the share of it that was used', () => {
    const result = compareNumbers(numbers([1, 2]), numbers([1.05, 2]), tolerance);
    expect(result.ok).toBe(true);
    expect(result.ratio).toBeCloseTo(0.5, 6);
    expect(result.values).toBe(2);
  });

  it('fails beyond the tolerance and names the place', () => {
    const result = compareNumbers(numbers([0, 0, 0, 0], [2, 2]), numbers([0, 0, 0.3, 0], [2, 2]), tolerance);
    expect(result.ok).toBe(false);
    expect(result.ratio).toBeCloseTo(3, 6);
    expect(result.note).toContain('[1, 0]');
  });

  it('takes NaN for NaN and for nothing else', () => {
    expect(compareNumbers(numbers([Number.NaN]), numbers([Number.NaN]), tolerance).ok).toBe(true);
    expect(compareNumbers(numbers([Number.NaN]), numbers([0]), tolerance).ok).toBe(false);
    expect(compareNumbers(numbers([0]), numbers([Number.NaN]), tolerance).ok).toBe(false);
  });

  it('takes an infinity for the same infinity only', () => {
    const low = Number.NEGATIVE_INFINITY;
    expect(compareNumbers(numbers([low, 0]), numbers([low, 0]), tolerance).ok).toBe(true);
    expect(compareNumbers(numbers([low, 0]), numbers([0, low]), tolerance).ok).toBe(false);
    expect(compareNumbers(numbers([low]), numbers([-low]), tolerance).ok).toBe(false);
  });

  it('fails on another shape even when the values are equal', () => {
    expect(compareNumbers(numbers([1, 2], [1, 2]), numbers([1, 2], [2, 1]), tolerance).ok).toBe(false);
  });

  it('allows no error at all where the tolerance is zero', () => {
    const exact = { ...tolerance, absolute: 0 };
    expect(compareNumbers(numbers([3, 4]), numbers([3, 4]), exact).ok).toBe(true);
    expect(compareNumbers(numbers([3, 4]), numbers([3, 4 + 1e-12]), exact).ok).toBe(false);
  });

  it('lets half a per cent of the values leave the tolerance behind the hard mask, up to its bound', () => {
    const hardMask = { ...tolerance, hardMask: { share: 0.995, all: 1 } };
    const zeros = new Array<number>(1000).fill(0);
    const moved = (count: number, by: number) => zeros.map((_, i) => (i < count ? by : 0));
    expect(compareNumbers(numbers(zeros), numbers(moved(5, 0.9)), hardMask).ok).toBe(true);
    expect(compareNumbers(numbers(zeros), numbers(moved(6, 0.9)), hardMask).ok).toBe(false);
    expect(compareNumbers(numbers(zeros), numbers(moved(1, 1.1)), hardMask).ok).toBe(false);
  });

  it('excuses named values only, and only up to the bound', () => {
    const excused = (index: number) => index === 1;
    const zeros = new Array<number>(10).fill(0);
    const strict = { ...tolerance, absolute: 1e-6 };
    const at = (index: number, by: number) => zeros.map((_, i) => (i === index ? by : 0));
    expect(compareNumbers(numbers(zeros), numbers(at(1, 1e-2)), strict, excused).ok).toBe(true);
    expect(compareNumbers(numbers(zeros), numbers(at(2, 1e-2)), strict, excused).ok).toBe(false);
    expect(compareNumbers(numbers(zeros), numbers(at(1, 3e-2)), strict, excused).ok).toBe(false);
  });
});

describe('compareBits', () => {
  it('sees the sign of zero and the last bit', () => {
    expect(compareBits([0, 1, Number.NaN], [0, 1, Number.NaN]).ok).toBe(true);
    expect(compareBits([0], [-0]).ok).toBe(false);
    expect(compareBits([1], [1 + Number.EPSILON]).ok).toBe(false);
    expect(compareBits([1], [1, 1]).ok).toBe(false);
  });
});
