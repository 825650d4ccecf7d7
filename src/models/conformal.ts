/**
 * Split conformal prediction: a threshold from normal pictures alone that a new normal picture reaches with a probability
 * of at most the wanted rate, whatever the scores look like. Needs only that old and new pictures are exchangeable.
 *
 * With n scores and rate a, k = ceil((n + 1)(1 - a)) and q the k-th smallest: of n + 1 exchangeable scores the last is
 * above q with probability at most 1 - k / (n + 1) <= a, ties counted in its favour (Vovk, Gammerman and Shafer 2005).
 * Without ties the rate that a drawn threshold has is distributed as Beta(n + 1 - k, k) (Vovk 2012).
 */
import { CraneError } from '../errors.js';
import { betaQuantile } from './beta-quantile.js';
import type { ConformalThreshold } from './calibration.js';

const k_level = 0.95;
/** (n + 1) a is a whole number often, and then must not be missed by rounding. */
const k_rounding = 1e-9;

/** The fewest normal pictures that can hold a rate. */
export function neededPictures(rate: number): number {
  return Math.max(1, Math.ceil(1 / rate - k_rounding) - 1);
}

/** k = ceil((n + 1)(1 - a)) = n + 1 - floor((n + 1) a) */
export function conformalRank(n: number, rate: number): number {
  return n + 1 - Math.floor((n + 1) * rate + k_rounding);
}

/**
 * @param scores of normal pictures, finite
 * @param what for messages: `scores`, `map maxima`; highest: that they may be
 * @throws CraneError E_CALIBRATE_TOO_FEW; E_CALIBRATE_SCORES when no threshold up to `highest` is above the score of that rank
 */
export function conformalThreshold(
  scores: readonly number[],
  rate: number,
  { what = 'scores', highest = 1 }: { what?: string; highest?: number } = {},
): ConformalThreshold {
  const n = scores.length;
  const rank = conformalRank(n, rate);
  if (rank > n) {
    throw new CraneError(
      'E_CALIBRATE_TOO_FEW',
      `${n} normal pictures cannot hold a false-alarm rate of ${rate}: at least ${neededPictures(rate)} are needed`,
      {
        hint:
          n === 0
            ? 'name a folder of normal pictures'
            : `take more pictures, or a rate of ${roundedUp(1 / (n + 1))} or more (--false-alarm-rate, falseAlarmRate)`,
      },
    );
  }
  const sorted = [...scores].sort((a, b) => a - b);
  const score = sorted[rank - 1]!;
  const threshold = nextUp(score);
  if (!(threshold <= highest)) {
    throw new CraneError(
      'E_CALIBRATE_SCORES',
      `the ${what} of normal pictures reach ${score}: no threshold up to ${highest} keeps the false-alarm rate at ${rate}`,
      { hint: 'these pictures look anomalous to the model: other prompts or settings are needed' },
    );
  }
  const [alarms, quiet] = [n + 1 - rank, rank];
  return {
    threshold,
    rank,
    expected: alarms / (n + 1),
    interval: {
      low: betaQuantile((1 - k_level) / 2, alarms, quiet),
      high: betaQuantile((1 + k_level) / 2, alarms, quiet),
      level: k_level,
    },
  };
}

/** The smallest number above a score of at least 0, so that `score >= threshold` is `score > q`. */
export function nextUp(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value === 0 ? 0 : value);
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0);
}

function roundedUp(rate: number): number {
  return Math.ceil(rate * 1e4) / 1e4;
}
