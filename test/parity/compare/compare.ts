/** Compares what the engine gave with what a fixture holds, value by value. */
import { elementCount } from '../fixture/safetensors.js';
import type { Tolerance } from './tolerances.js';

export interface Numbers {
  shape: readonly number[];
  data: ArrayLike<number>;
}

export interface Comparison {
  /** how many values were compared */
  values: number;
  /** largest |got - expected| over finite values */
  worst: number;
  /** 1 or less passes; Infinity where NaN, an infinity or the shape differs */
  ratio: number;
  ok: boolean;
  /** what was wrong, or what a special rule excused */
  note: string;
}

/**
 * Absolute errors against one tolerance. NaN equals NaN, an infinity equals the same infinity and nothing else.
 * `excused(i)` takes a value out of the strict tolerance; it must still stay within the hard-mask bound.
 */
export function compareNumbers(
  expected: Numbers,
  got: Numbers,
  tolerance: Tolerance,
  excused?: (index: number) => boolean,
): Comparison {
  const values = expected.data.length;
  if (!sameShape(expected.shape, got.shape)) {
    return failed(values, `shape [${got.shape}], expected [${expected.shape}]`);
  }
  if (got.data.length !== values || elementCount(expected.shape) !== values) {
    return failed(values, `${got.data.length} values, expected ${values}`);
  }
  let worst = 0;
  let worstAt = 0;
  let outside = 0;
  let worstInside = 0;
  let special = -1;
  for (let i = 0; i < values; i++) {
    const want = expected.data[i]!;
    const have = got.data[i]!;
    if (!Number.isFinite(want) || !Number.isFinite(have)) {
      if (!Object.is(want, have) && special < 0) special = i;
      continue;
    }
    const error = Math.abs(have - want);
    if (error > worst) {
      worst = error;
      worstAt = i;
    }
    if (error > tolerance.absolute && (tolerance.hardMask || excused?.(i))) outside++;
    else if (error > worstInside) worstInside = error;
  }
  if (special >= 0) {
    const where = place(special, expected.shape);
    return failed(values, `${got.data[special]} at [${where}], expected ${expected.data[special]}`, worst);
  }
  const strict = worstInside === 0 ? 0 : worstInside / tolerance.absolute;
  let ratio = strict;
  let note = '';
  if (outside > 0) {
    // The hard mask is a discontinuity: a similarity within rounding of zero may flip and moves one row.
    const bound = tolerance.hardMask ?? flippedRow;
    ratio = Math.max(strict, outside / values / (1 - bound.share), worst / bound.all);
    note = `${outside} values beyond ${tolerance.absolute}, worst ${worst.toExponential(1)} (hard mask)`;
  }
  const ok = ratio <= 1;
  if (!ok) {
    const at = `[${place(worstAt, expected.shape)}]: ${got.data[worstAt]}, expected ${expected.data[worstAt]}`;
    note = note === '' ? `worst at ${at}` : `${note}, at ${at}`;
  }
  return { values, worst, ratio, ok, note };
}

/** Bounds for values whose attention row is known to have flipped an entry (see compareNumbers, excused). */
const flippedRow = { share: 0.8, all: 2e-2 };

/** Bit for bit: the sign of zero counts, NaN equals NaN. */
export function compareBits(expected: ArrayLike<number>, got: ArrayLike<number>): Comparison {
  if (expected.length !== got.length) {
    return failed(expected.length, `${got.length} values, expected ${expected.length}`);
  }
  let differing = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(expected[i], got[i])) continue;
    differing++;
    const error = Math.abs(got[i]! - expected[i]!);
    if (!(error <= worst)) worst = error;
  }
  const ok = differing === 0;
  return {
    values: expected.length,
    worst,
    ratio: ok ? 0 : Number.POSITIVE_INFINITY,
    ok,
    note: ok ? 'equal bits' : `${differing} of ${expected.length} values differ`,
  };
}

export function failed(values: number, note: string, worst = Number.NaN): Comparison {
  return { values, worst, ratio: Number.POSITIVE_INFINITY, ok: false, note };
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function place(flat: number, shape: readonly number[]): string {
  const at: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return at.join(', ');
}
