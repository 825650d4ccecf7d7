/** Rows of figures for the tests of one cell of a grid: ours, and what the paper prints of the same below them. */
import type { PrintedFigures } from '../runs/paper/published.js';
import { sampleDeviation } from '../runs/spread.js';
import type { TestedDataSet, TestRun } from '../runs/test-run.js';
import type { GridCell } from './grid.js';
import type { Column } from './outputs/columns.js';
import type { FigureCell, FiguresRow } from './outputs/figures-table.js';
import type { Beside } from './paper-grid.js';

/** What was tested of a cell: one run, or one for each seed of what was learned. */
export interface CellRuns {
  cell: GridCell;
  runs: readonly TestRun[];
}

/** @param columns of all cells; the runs of a cell have the same data sets */
export function figureRows(
  { cell, runs }: CellRuns,
  columns: readonly Column[],
  beside: Beside | undefined,
): FiguresRow[] {
  const [first] = runs;
  if (!first) return [];
  const rows = first.dataSets.flatMap((set, at) => {
    const ofRuns = runs.map(({ dataSets }) => dataSets[at]!);
    const cells = columns.map((column) => meanOf(ofRuns.map((one) => figureOf(column, one))));
    const ours: FiguresRow = { values: cell.texts, dataSet: set.name, cells };
    const printed = beside ? printedOf(beside, cell, set) : set.paper?.mean;
    const title = beside ? 'published' : `published: ${set.paper?.column}`;
    return printed ? [ours, publishedRow(ours, title, printed, columns)] : [ours];
  });
  return [...rows, ...averageRows({ cell, runs }, columns, beside)];
}

function printedOf(beside: Beside, cell: GridCell, { published }: TestedDataSet): PrintedFigures | undefined {
  return published === null ? undefined : beside.printed(cell, published);
}

function figureOf(column: Column, { mean }: TestedDataSet): number | null {
  return column.mean(mean.leftOut).value;
}

/** Over several runs the mean with its deviation; a figure that one of them lacks has none. */
function meanOf(values: readonly (number | null)[]): FigureCell {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length) return { value: null, reason: 'no class has it' };
  const value = known.reduce((sum, one) => sum + one, 0) / known.length;
  return values.length === 1 ? { value } : { value, deviation: sampleDeviation(known) };
}

/** Over the data sets, where the paper prints such a row: each figure over the sets that have it, in every run. */
function averageRows(
  { cell, runs }: CellRuns,
  columns: readonly Column[],
  beside: Beside | undefined,
): FiguresRow[] {
  const sets = runs[0]!.dataSets.length;
  if (!beside?.average || sets < 2) return [];
  const cells = columns.map((column): FigureCell => {
    const ofRuns = runs.map(({ dataSets }) => {
      const known = dataSets.map((set) => figureOf(column, set)).filter((value) => value !== null);
      return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
    });
    return meanOf(ofRuns);
  });
  const ours: FiguresRow = { values: cell.texts, dataSet: `average of ${sets} data sets`, cells };
  const printed = beside.printed(cell, beside.average.name);
  return printed ? [ours, publishedRow(ours, 'published', printed, columns)] : [ours];
}

/** What the paper prints of the same, under ours. */
function publishedRow(
  { values, dataSet }: FiguresRow,
  title: string,
  printed: PrintedFigures,
  columns: readonly Column[],
): FiguresRow {
  return {
    isPublished: true,
    values: values.map((_, at) => (at === 0 ? title : '')),
    dataSet,
    cells: columns.map((column) => {
      const value = column.published?.(printed);
      return value === undefined || value === null
        ? { value: null, reason: 'the paper does not print it' }
        : { value: value / 100 };
    }),
  };
}

/** Why published and own figures need not agree: each reason once, with the data sets and rows that it holds for. */
export function limitsOf(all: readonly CellRuns[], beside: Beside | undefined): string[] {
  const places = new Map<string, { sets: Set<string>; cells: Set<string> }>();
  const compared = new Set<string>();
  for (const { cell, runs } of all)
    for (const run of runs)
      for (const set of run.dataSets) {
        if (beside ? printedOf(beside, cell, set) : set.paper) compared.add(cell.label);
        for (const text of reasons(cell, run, set, beside)) {
          const place = places.get(text) ?? { sets: new Set(), cells: new Set() };
          places.set(text, place);
          place.sets.add(set.name);
          place.cells.add(cell.label);
        }
      }
  const limits = [...places].map(([text, { sets, cells }]) => {
    const ofCells = cells.size === compared.size ? '' : ` (${[...cells].join('; ')})`;
    return `${[...sets].join(', ')}${ofCells}: not comparable: ${text}.`;
  });
  return [...limits, ...averageLimits(all, beside)];
}

function reasons(
  cell: GridCell,
  run: TestRun,
  set: TestedDataSet,
  beside: Beside | undefined,
): readonly string[] {
  if (!beside) return set.paper?.notComparable ?? [];
  return printedOf(beside, cell, set) ? beside.limits(cell, run, set) : [];
}

function averageLimits(all: readonly CellRuns[], beside: Beside | undefined): string[] {
  const [first] = all.flatMap(({ runs }) => runs);
  const own = first?.dataSets.map(({ published }) => published);
  const average = beside?.average;
  if (!average || !own || own.length < 2) return [];
  const isWhole = own.length === average.sets.length && average.sets.every((name) => own.includes(name));
  return isWhole ? [] : [`not comparable: the printed average is over ${average.sets.join(', ')}.`];
}
