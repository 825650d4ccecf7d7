/** Mean and spread of a figure over several runs. */
export interface Spread {
  mean: number;
  /** sample standard deviation (n - 1); 0 for one run */
  deviation: number;
  lowest: number;
  highest: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
    lowest: Math.min(...values),
    highest: Math.max(...values),
  };
}
