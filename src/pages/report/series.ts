/** Lines of a chart, and how they are told apart: by colour and by dashes, so that neither has to be seen. */
import { lineColours } from '../style.js';

export interface Point {
  x: number;
  y: number;
}

export interface Series {
  label: string;
  /** names the line's look in the style sheet, and its toggle */
  look: string;
  points: readonly Point[];
  /** a step from point to point instead of a straight line: precision between two thresholds is not known */
  isStep?: boolean;
}

export const lineDashes: readonly string[] = ['none', '6 3', '2 2', '9 3 2 3'];

/** Classes beyond the number of looks share them; their names in the toggles and tables tell them apart. */
export const k_looks = lineColours.length * lineDashes.length;

export function lookOf(index: number): string {
  return `s${index % k_looks}`;
}

/** Of all classes together. */
export const meanLook = 'mean';
export const pooledLook = 'pooled';

/** The straight-line value of a falling or rising curve at x; points in the order of rising x. */
export function valueAt(points: readonly Point[], x: number, isStep = false): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || x < first.x || x > last.x) return undefined;
  let low = 0;
  let high = points.length - 1;
  // the last point at or left of x: of points above each other the upper end of a rise
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle]!.x <= x) low = middle;
    else high = middle - 1;
  }
  const left = points[low]!;
  const right = points[low + 1];
  if (!right || left.x === x) return left.y;
  if (isStep) return right.y;
  return left.y + ((x - left.x) / (right.x - left.x)) * (right.y - left.y);
}

const k_grid = 200;

/**
 * The mean of curves at equal x (vertical averaging). For ROC and PRO its area is the mean of the classes' areas.
 * x runs as far as all curves do.
 */
export function meanSeries(label: string, curves: readonly Series[], limit = 1): Series {
  const isStep = curves.some((curve) => curve.isStep);
  const points: Point[] = [];
  for (let step = 0; step <= k_grid; step++) {
    const x = (limit * step) / k_grid;
    const values = curves.map((curve) => valueAt(curve.points, x, curve.isStep));
    if (values.some((value) => value === undefined)) continue;
    points.push({ x, y: values.reduce((sum: number, value) => sum + value!, 0) / values.length });
  }
  return { label, look: meanLook, points, isStep };
}
