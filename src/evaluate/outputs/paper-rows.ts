/** Our figures beside the published ones, with the difference, in percent. */
import type { PublishedComparison, PublishedRow } from '../../runs/paper/published.js';
import type { TestedDataSet } from '../../runs/test-run.js';
import type { Column } from './columns.js';
import { k_asZeroLabel, k_meanLabel } from './rows.js';

export interface PaperCell {
  ours: number | null;
  paper: number | null;
  difference: number | null;
}

export interface PaperRow {
  label: string;
  /** the published row may belong to another class */
  isDoubtful: boolean;
  cells: PaperCell[];
}

export interface PaperTable {
  columns: Column[];
  comparison: PublishedComparison;
  rows: PaperRow[];
}

/** undefined when the paper was not asked for, or prints nothing of this set. */
export function paperTable(set: TestedDataSet, all: readonly Column[]): PaperTable | undefined {
  const { paper: comparison } = set;
  if (comparison === null) return undefined;
  const columns = all.filter(({ published }) => published && published(comparison.mean) !== undefined);
  const rows = set.classes.flatMap(({ className, metrics }): PaperRow[] => {
    const row = comparison.classes[className];
    if (!row) return [];
    const cells = columns.map((column) => cellOf(column.of(metrics).value, column, row));
    return [{ label: className, isDoubtful: comparison.areRowsDoubtful, cells }];
  });
  // The paper's means count a figure that a class does not have as 0 (method.md 8).
  const mean = columns.map((column) => cellOf(meanValue(set, column), column, comparison.mean));
  const differ = columns.some((column) => column.mean(set.mean.leftOut).value !== meanValue(set, column));
  const label = differ ? k_asZeroLabel : k_meanLabel;
  return { columns, comparison, rows: [...rows, { label, isDoubtful: false, cells: mean }] };
}

/** A figure that no class has is none, in whatever convention. */
function meanValue({ mean }: TestedDataSet, column: Column): number | null {
  return column.mean(mean.leftOut).value === null ? null : column.mean(mean.asZero).value;
}

function cellOf(value: number | null, { published }: Column, row: PublishedRow): PaperCell {
  const ours = value === null ? null : 100 * value;
  const paper = published?.(row) ?? null;
  return { ours, paper, difference: ours === null || paper === null ? null : ours - paper };
}

/** "94.7 (93.9, +0.8)" */
export function paperText({ ours, paper, difference }: PaperCell): string {
  const shown = ours === null ? 'n/a' : ours.toFixed(1);
  if (paper === null) return shown;
  const sign = difference !== null && difference >= 0 ? '+' : '';
  const beside = difference === null ? '' : `, ${sign}${difference.toFixed(1)}`;
  return `${shown} (${paper.toFixed(1)}${beside})`;
}

export function paperTitle({ dataSet, column, tables }: PublishedComparison): string {
  return `${dataSet} beside the paper's ${column} (${tables.length === 1 ? 'table' : 'tables'} ${tables.join(', ')}): ours (published, difference)`;
}

/** What limits the comparison. */
export function paperNotes({ errata, notComparable, areRowsDoubtful }: PublishedComparison): string[] {
  return [
    ...notComparable.map((text) => `not comparable: ${text}`),
    ...(areRowsDoubtful ? ['?: the published row may be that of another class'] : []),
    ...errata.map((text) => `known error: ${text}`),
  ];
}
