/** The curves of a data set: one line a class, and the classes together. */
import type { ClassMetrics, Curve } from '../../metrics/index.js';
import { isScored, type TestedClass, type TestedDataSet } from '../../runs/test-run.js';
import { lookOf, meanSeries, type Point, pooledLook, type Series } from './series.js';

export interface SetCurve {
  title: string;
  xLabel: string;
  yLabel: string;
  xMax: number;
  series: Series[];
  chance?: readonly [Point, Point];
  marks?: { x: number; label: string }[];
  /** the threshold of picture scores has a place on it */
  followsThreshold: boolean;
}

/** Charts without a single line are left out. */
export function curvesOf(set: TestedDataSet): SetCurve[] {
  const limits = set.classes[0]?.metrics.pixel.aupro.map(({ limit }) => limit) ?? [];
  const proMax = Math.min(1, Math.max(0.3, ...limits));
  const diagonal = [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
  ] as const;
  const pooled = pooledRanking(set.classes);
  const roc = { xLabel: 'false-positive rate', yLabel: 'true-positive rate', xMax: 1, chance: diagonal };
  const recall = { xLabel: 'recall', yLabel: 'precision', xMax: 1 };
  const charts: SetCurve[] = [
    {
      ...roc,
      title: 'Pictures: ROC',
      series: lines(set, ({ image }) => image.curves?.roc, pooled?.roc, 1, false),
      followsThreshold: true,
    },
    {
      ...recall,
      title: 'Pictures: precision and recall',
      series: lines(set, ({ image }) => image.curves?.precisionRecall, pooled?.precisionRecall, 1, true),
      followsThreshold: true,
    },
    {
      ...roc,
      title: 'Pixels: ROC',
      series: lines(set, ({ pixel }) => pixel.curves?.roc, undefined, 1, false),
      followsThreshold: false,
    },
    {
      ...recall,
      title: 'Pixels: precision and recall',
      series: lines(set, ({ pixel }) => pixel.curves?.precisionRecall, undefined, 1, true),
      followsThreshold: false,
    },
    {
      title: 'Regions: PRO',
      xLabel: 'false-positive rate of pixels',
      yLabel: 'mean overlap of a region',
      xMax: proMax,
      series: lines(set, ({ pixel }) => pixel.curves?.pro, undefined, proMax, false),
      marks: limits.map((limit) => ({ x: limit, label: String(limit) })),
      followsThreshold: false,
    },
  ];
  return charts.filter((chart) => chart.series.length > 0);
}

function lines(
  set: TestedDataSet,
  curveOf: (metrics: ClassMetrics) => Curve | undefined,
  pooled: readonly Point[] | undefined,
  limit: number,
  isStep: boolean,
): Series[] {
  const classes = set.classes.flatMap(({ className, metrics }, index): Series[] => {
    const curve = curveOf(metrics);
    if (!curve || curve.x.length === 0) return [];
    const points = Array.from(curve.x, (x, at) => ({ x, y: curve.y[at]! }));
    return [{ label: className, look: lookOf(index), points: isStep ? fromZero(points) : points, isStep }];
  });
  if (classes.length < 2) return classes;
  return [
    ...classes,
    ...(pooled ? [{ label: 'all pictures together', look: pooledLook, points: pooled, isStep }] : []),
    meanSeries('mean of the classes', classes, limit),
  ];
}

/** Below the lowest recall there is, nothing is called anomalous: the first precision is carried on to 0. */
function fromZero(points: Point[]): Point[] {
  const first = points[0];
  return first && first.x > 0 ? [{ x: 0, y: first.y }, ...points] : points;
}

/** Curves of all pictures of the set under one threshold, as a deployed threshold treats them. */
export function pooledRanking(
  classes: readonly TestedClass[],
): { roc: Point[]; precisionRecall: Point[] } | undefined {
  const scored = classes
    .flatMap(({ pictures }) => pictures.filter(isScored))
    .filter(({ score }) => Number.isFinite(score));
  scored.sort((a, b) => b.score - a.score);
  const anomalous = scored.filter(({ isAnomalous }) => isAnomalous).length;
  const normal = scored.length - anomalous;
  if (anomalous === 0 || normal === 0) return undefined;
  const roc: Point[] = [{ x: 0, y: 0 }];
  const precisionRecall: Point[] = [];
  let found = 0;
  for (const [at, { score, isAnomalous }] of scored.entries()) {
    if (isAnomalous) found++;
    if (scored[at + 1]?.score === score) continue;
    const called = at + 1;
    roc.push({ x: (called - found) / normal, y: found / anomalous });
    precisionRecall.push({ x: found / anomalous, y: found / called });
  }
  return { roc, precisionRecall: fromZero(precisionRecall) };
}
