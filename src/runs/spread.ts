/** Mean and spread of a figure over several runs. */
export interface Spread {
  mean: number;
  /** sample standard deviation (n - 1); 0 for one run */
  deviation: number;
  lowest: number;
  highest: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    mean: meanOf(values),
    deviation: sampleDeviation(values) ?? 0,
    lowest: Math.min(...values),
    highest: Math.max(...values),
  };
}

/** With n - 1 below; null of fewer than two values, which have none. */
export function sampleDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
