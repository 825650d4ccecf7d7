import { describe, expect, it } from 'vitest';
import { betaCdf, betaQuantile, logGamma } from '../../../src/models/beta-quantile.js';
import { conformalRank, conformalThreshold, neededPictures, nextUp } from '../../../src/models/conformal.js';

/** Every list of `length` values out of `values`. */
function* lists(values: readonly number[], length: number): Generator<number[]> {
  if (length === 0) return yield [];
  for (const rest of lists(values, length - 1)) for (const value of values) yield [...rest, value];
}

/**
 * The exact probability that the last of exchangeable scores reaches the threshold of the others: each score of the list
 * is the last one in equally many orders.
 */
function alarmRate(scores: readonly number[], rate: number): number {
  const alarms = scores.filter((score, at) => {
    const others = scores.filter((_, other) => other !== at);
    return score >= conformalThreshold(others, rate).threshold;
  });
  return alarms.length / scores.length;
}

describe('the guarantee, by exact enumeration', () => {
  for (const n of [1, 2, 3, 4, 5]) {
    const values = n < 5 ? [0, 0.25, 0.5, 0.75] : [0, 0.5, 0.75];
    const rates = [1 / (n + 1), 2 / (n + 1), 0.35, 0.5, 0.9].filter(
      (rate) => rate < 1 && rate >= 1 / (n + 1),
    );
    it(`holds for every list of ${n + 1} scores with ties, at rates ${rates.map((rate) => rate.toFixed(3)).join(', ')}`, () => {
      let checked = 0;
      for (const rate of rates)
        for (const scores of lists(values, n + 1)) {
          expect(alarmRate(scores, rate)).toBeLessThanOrEqual(rate + 1e-12);
          checked++;
        }
      expect(checked).toBe(rates.length * values.length ** (n + 1));
    });

    it(`wastes nothing: ${n + 1} different scores give exactly floor((n + 1) a) / (n + 1)`, () => {
      const scores = Array.from({ length: n + 1 }, (_, at) => (at * 0.7 + 0.1) / (n + 1));
      for (const rate of rates)
        expect(alarmRate(scores, rate)).toBeCloseTo(Math.floor((n + 1) * rate + 1e-9) / (n + 1), 12);
    });
  }
});

describe('the rank', () => {
  it.each([
    [99, 0.01, 99],
    [100, 0.01, 100],
    [199, 0.01, 198],
    [999, 0.07, 930],
    [99, 0.29, 71],
    [9, 0.1, 9],
    [19, 0.05, 19],
    [1000, 0.001, 1000],
  ])('of %i scores at rate %f is %i', (n, rate, rank) => {
    expect(conformalRank(n, rate)).toBe(rank);
  });

  it.each([
    [0.01, 99],
    [0.05, 19],
    [0.1, 9],
    [0.001, 999],
    [0.03, 33],
    [0.5, 1],
    [0.9, 1],
  ])('at rate %f needs %i pictures, and one fewer is refused with that number', (rate, needed) => {
    expect(neededPictures(rate)).toBe(needed);
    const scores = Array.from({ length: needed }, (_, at) => at / (needed + 1));
    expect(conformalThreshold(scores, rate).rank).toBeLessThanOrEqual(needed);
    expect(() => conformalThreshold(scores.slice(1), rate)).toThrow(
      expect.objectContaining({
        code: 'E_CALIBRATE_TOO_FEW',
        message: expect.stringContaining(`at least ${needed} are`),
      }),
    );
  });
});

describe('the threshold', () => {
  it('lies just above the score of its rank', () => {
    const { threshold, rank } = conformalThreshold([0.3, 0.1, 0.2, 0.4], 0.4);
    expect(rank).toBe(3);
    expect(threshold).toBe(nextUp(0.3));
    expect(threshold).toBeGreaterThan(0.3);
    expect(threshold - 0.3).toBeLessThan(1e-15);
  });

  it('of equal scores is above them: none of them is called anomalous', () => {
    const { threshold } = conformalThreshold(Array(20).fill(0.5), 0.05);
    expect(threshold).toBeGreaterThan(0.5);
    expect(conformalThreshold(Array(20).fill(0), 0.05).threshold).toBeGreaterThan(0);
  });

  it('beyond 1 is refused: scores of 1 leave no room above them', () => {
    expect(() => conformalThreshold(Array(20).fill(1), 0.05)).toThrow(
      expect.objectContaining({ code: 'E_CALIBRATE_SCORES' }),
    );
  });

  it('says between which rates it lies, as Beta(n + 1 - k, k) does', () => {
    const { expected, interval } = conformalThreshold(
      Array.from({ length: 300 }, (_, at) => at / 301),
      0.01,
    );
    expect(expected).toBeCloseTo(3 / 301, 12);
    expect(interval.low).toBeCloseTo(k_scipy[0]![3], 9);
    expect(interval.high).toBeCloseTo(k_scipy[1]![3], 9);
  });
});

/** share, a, b, quantile: by scipy.stats.beta.ppf */
const k_scipy: [number, number, number, number][] = [
  [0.025, 3, 298, 0.0020670072350923163],
  [0.975, 3, 298, 0.02387349757217365],
  [0.025, 1, 99, 0.00025570273666596153],
  [0.975, 1, 99, 0.03657574498347893],
  [0.5, 50, 50, 0.4999999999999999],
  [0.975, 1000, 99001, 0.010625806643531743],
  [0.025, 0.5, 0.5, 0.001541333133436012],
  [0.975, 2, 1, 0.9874208829065749],
];

describe('the beta distribution', () => {
  it.each(k_scipy)('has its quantile %f of (%f, %f) where scipy has it', (share, a, b, quantile) => {
    expect(Math.abs(betaQuantile(share, a, b) - quantile) / quantile).toBeLessThan(1e-8);
    expect(betaCdf(quantile, a, b)).toBeCloseTo(share, 9);
  });

  it('counts successes: P(X <= x) of (k, n + 1 - k) is the chance of at least k of n', () => {
    const [n, k, x] = [9, 3, 0.37];
    const choose = (of: number): number => (of === 0 ? 1 : (choose(of - 1) * (n + 1 - of)) / of);
    let chance = 0;
    for (let of = k; of <= n; of++) chance += choose(of) * x ** of * (1 - x) ** (n - of);
    expect(betaCdf(x, k, n + 1 - k)).toBeCloseTo(chance, 13);
  });

  it('stands on factorials', () => {
    let factorial = 0;
    for (let n = 1; n <= 30; n++) {
      expect(logGamma(n)).toBeCloseTo(factorial, 11);
      factorial += Math.log(n);
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
  });
});
