/** The figures in the order of the paper's tables, then those that it does not have. */
import type { ClassMetrics, Mean, Means, Metric } from '../../metrics/index.js';
import type { PrintedFigures } from '../../runs/paper/published.js';
import type { ImageIntervals } from '../../runs/test-run.js';

export interface Column {
  /** name in files: image_auroc */
  key: string;
  level: 'image' | 'pixel';
  /** short, for heads: AUPRO */
  title: string;
  /** what tells it from others of its title: @0.3, 200 thresholds; '' mostly */
  detail: string;
  of(metrics: ClassMetrics): Metric;
  mean(means: Means): Mean;
  /** where the paper has it */
  published?: (row: PrintedFigures) => number | undefined;
  /** where it has an interval */
  interval?: keyof ImageIntervals;
}

/** AUPRO's limit in the paper (method.md 8). */
const k_paperLimit = 0.3;

export function columnsFor(limits: readonly number[]): Column[] {
  const paperLimit = limits.includes(k_paperLimit) ? k_paperLimit : Math.max(...limits);
  return [
    image('auroc', 'AUROC'),
    image('ap', 'AP'),
    image('f1Max', 'F1max'),
    { ...pixel('auroc', 'AUROC'), published: ({ pixel: of }) => of?.auroc },
    ...(limits.length > 0 ? [aupro(limits, paperLimit, 'reference200')] : []),
    { ...pixel('f1Max', 'F1max'), published: ({ pixel: of }) => of?.f1Max },
    pixel('ap', 'AP'),
    ...[...limits].sort((a, b) => b - a).map((limit) => aupro(limits, limit, 'exact')),
  ];
}

function image(figure: 'auroc' | 'ap' | 'f1Max', title: string): Column {
  return {
    key: `image_${figure.toLowerCase()}`,
    level: 'image',
    title,
    detail: '',
    of: (metrics) => metrics.image[figure],
    mean: (means) => means.image[figure],
    published: (row) => row.image?.[figure],
    interval: figure,
  };
}

function pixel(figure: 'auroc' | 'ap' | 'f1Max', title: string): Column {
  return {
    key: `pixel_${figure.toLowerCase()}`,
    level: 'pixel',
    title,
    detail: '',
    of: (metrics) => metrics.pixel[figure],
    mean: (means) => means.pixel[figure],
  };
}

function aupro(limits: readonly number[], limit: number, kind: 'exact' | 'reference200'): Column {
  const at = limits.indexOf(limit);
  const column: Column = {
    key: `pixel_aupro_${limit}_${kind === 'exact' ? 'exact' : '200'}`,
    level: 'pixel',
    title: 'AUPRO',
    detail: `@${limit} ${kind === 'exact' ? 'exact' : '200'}`,
    of: (metrics) => metrics.pixel.aupro[at]![kind],
    mean: (means) => means.pixel.aupro[at]![kind],
  };
  if (kind === 'exact' || limit !== k_paperLimit) return column;
  return { ...column, published: (row) => row.pixel?.aupro };
}
