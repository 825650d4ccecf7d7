/** The rows of the tables, whatever they are written as. Figures are shares from 0 to 1. */
import type { Mean } from '../../metrics/index.js';
import type { ImageIntervals, Interval, TestedClass, TestedDataSet, TestRun } from '../../runs/test-run.js';
import { type Column, columnsFor } from './columns.js';

export interface Cell {
  value: number | null;
  /** why there is no value */
  reason?: string;
  interval?: Interval;
}

export interface Row {
  kind: 'class' | 'mean' | 'mean-as-zero' | 'mean-of-sets';
  label: string;
  /** pictures in the image figures; null for means */
  normal: number | null;
  anomalous: number | null;
  cells: Cell[];
}

export interface SetTable {
  set: TestedDataSet;
  rows: Row[];
}

export interface RunTables {
  columns: Column[];
  sets: SetTable[];
  /** with several sets: the mean of their means */
  overall: Row | null;
}

export const k_meanLabel = 'mean';
export const k_asZeroLabel = 'mean, n/a as 0';

export function tablesOf(run: TestRun): RunTables {
  const columns = columnsFor(run.settings.limits);
  const sets = run.dataSets.map((set) => ({ set, rows: rowsOf(set, columns) }));
  return { columns, sets, overall: run.dataSets.length > 1 ? overallRow(run, columns) : null };
}

function rowsOf(set: TestedDataSet, columns: readonly Column[]): Row[] {
  const rows = set.classes.map((of) => classRow(of, columns));
  const { leftOut, asZero } = set.mean;
  const isAlone = set.classes.length === 1;
  const mean = columns.map((column) => meanCell(column.mean(leftOut), column, set.intervals));
  const zero = columns.map((column) => meanCell(column.mean(asZero), column, null));
  if (!isAlone) rows.push(meanRow('mean', k_meanLabel, mean));
  const differ = zero.some(({ value }, at) => value !== mean[at]!.value);
  if (differ) rows.push(meanRow('mean-as-zero', k_asZeroLabel, zero));
  return rows;
}

function classRow({ className, metrics, intervals }: TestedClass, columns: readonly Column[]): Row {
  const cells = columns.map((column): Cell => {
    const { value, reason } = column.of(metrics);
    return { value, ...(reason ? { reason } : {}), ...intervalOf(column, intervals) };
  });
  const { normal, anomalous } = metrics.image;
  return { kind: 'class', label: className, normal, anomalous, cells };
}

function meanRow(kind: Row['kind'], label: string, cells: Cell[]): Row {
  return { kind, label, normal: null, anomalous: null, cells };
}

function meanCell({ value }: Mean, column: Column, intervals: ImageIntervals | null): Cell {
  return value === null ? { value, reason: 'no class has it' } : { value, ...intervalOf(column, intervals) };
}

function intervalOf({ interval }: Column, intervals: ImageIntervals | null): { interval?: Interval } {
  const found = interval && intervals?.[interval];
  return found ? { interval: found } : {};
}

function overallRow({ dataSets }: TestRun, columns: readonly Column[]): Row {
  const cells = columns.map((column): Cell => {
    const values = dataSets.flatMap(({ mean }) => column.mean(mean.leftOut).value ?? []);
    if (values.length === 0) return { value: null, reason: 'no data set has it' };
    return { value: values.reduce((sum, value) => sum + value, 0) / values.length };
  });
  return meanRow('mean-of-sets', `mean of ${dataSets.length} data sets`, cells);
}

/** Percent with one digit, as the paper prints it. */
export function percent({ value }: Pick<Cell, 'value'>): string {
  return value === null ? 'n/a' : (100 * value).toFixed(1);
}
