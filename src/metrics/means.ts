/** Means over classes, in both conventions for figures that a class does not have. */

import type { ClassMetrics, Metric } from '../addon/metric-results.js';
import type { Evaluation, Mean, Means } from './result.js';

export function evaluationOf(classes: ClassMetrics[]): Evaluation {
  return { classes, mean: { leftOut: meansOf(classes, leftOut), asZero: meansOf(classes, asZero) } };
}

function leftOut(metrics: Metric[]): Mean {
  const values = metrics.flatMap(({ value }) => (value === null ? [] : [value]));
  return { value: average(values), classes: values.length };
}

function asZero(metrics: Metric[]): Mean {
  return { value: average(metrics.map(({ value }) => value ?? 0)), classes: metrics.length };
}

function average(values: number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meansOf(classes: ClassMetrics[], mean: (metrics: Metric[]) => Mean): Means {
  const over = (metric: (of: ClassMetrics) => Metric) => mean(classes.map(metric));
  const ranking = (level: 'image' | 'pixel') => ({
    auroc: over((of) => of[level].auroc),
    ap: over((of) => of[level].ap),
    f1Max: over((of) => of[level].f1Max),
  });
  const limits = classes[0]?.pixel.aupro.map(({ limit }) => limit) ?? [];
  const aupro = limits.map((limit, at) => ({
    limit,
    exact: over((of) => of.pixel.aupro[at]!.exact),
    reference200: over((of) => of.pixel.aupro[at]!.reference200),
  }));
  return { image: ranking('image'), pixel: { ...ranking('pixel'), aupro } };
}
