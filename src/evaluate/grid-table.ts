/** One table for a grid, as Table 2 of the paper: a row for each combination, the means of each data set. */
import { whyIdle } from '../engine/idle-settings.js';
import type { PublishedComparison } from '../runs/paper/published.js';
import type { TestRun } from '../runs/test-run.js';
import type { Paint } from '../terminal/paint.js';
import type { GridAxis, GridCell } from './grid.js';
import { type Column, columnsFor } from './outputs/columns.js';
import {
  byDataSet,
  type FiguresRow,
  type FiguresSection,
  type FiguresTable,
  figuresCsv,
  figuresLatex,
  figuresMarkdown,
  figuresSections,
  figuresText,
} from './outputs/figures-table.js';

export interface GridRun {
  cell: GridCell;
  run: TestRun;
}

const k_note =
  'means over the classes that have the figure, in percent; each combination is a run of its own below cells/';

function gridTable(axes: readonly GridAxis[], runs: readonly GridRun[]): FiguresTable {
  const columns = columnsFor(runs[0]!.run.settings.limits);
  const rows = runs.flatMap(({ cell, run }) =>
    run.dataSets.flatMap(({ name, mean, paper }) => {
      const ours: FiguresRow = {
        values: cell.texts,
        dataSet: name,
        cells: columns.map((column) => {
          const { value } = column.mean(mean.leftOut);
          return value === null ? { value, reason: 'no class has it' } : { value };
        }),
      };
      return paper ? [ours, publishedRow(ours, paper, columns)] : [ours];
    }),
  );
  return {
    title: 'Grid',
    axes: axes.map(({ name }) => name),
    columns,
    rows: byDataSet(rows),
    warnings: [
      ...idleAxes(
        axes,
        rows.filter(({ isPublished }) => !isPublished),
        runs,
      ),
      ...new Set([...runs.flatMap(({ run }) => run.warnings), ...limitsOf(runs)]),
    ],
    note: k_note,
  };
}

/** What the paper prints of the same, under ours. */
function publishedRow(
  { values, dataSet }: FiguresRow,
  { column: title, mean }: PublishedComparison,
  columns: readonly Column[],
): FiguresRow {
  return {
    isPublished: true,
    values: values.map((_, at) => (at === 0 ? `published: ${title}` : '')),
    dataSet,
    cells: columns.map((column) => {
      const value = column.published?.(mean);
      return value === undefined || value === null
        ? { value: null, reason: 'the paper does not print it' }
        : { value: value / 100 };
    }),
  };
}

/** Why published and own figures need not agree, by row. */
function limitsOf(runs: readonly GridRun[]): string[] {
  return [
    ...new Set(
      runs.flatMap(({ cell, run }) =>
        run.dataSets.flatMap(({ name, paper }) =>
          (paper?.notComparable ?? []).map((text) => `${name}, ${cell.label}: not comparable: ${text}.`),
        ),
      ),
    ),
  ];
}

/** Equal figures for all values of an axis look like a finding; where the option cannot matter, that is the reason. */
function idleAxes(
  axes: readonly GridAxis[],
  rows: readonly FiguresRow[],
  runs: readonly GridRun[],
): string[] {
  return axes.flatMap(({ name, texts }, at) => {
    if (texts.length < 2) return [];
    const figures = new Map<string, string>();
    for (const { values, dataSet, cells } of rows) {
      const others = JSON.stringify([dataSet, values.filter((_, place) => place !== at)]);
      const own = JSON.stringify(cells.map(({ value }) => value));
      if ((figures.get(others) ?? own) !== own) return [];
      figures.set(others, own);
    }
    const why = new Set(runs.map(({ run }) => whyIdle(name, run.settings)));
    const reason = why.size === 1 ? [...why][0] : undefined;
    return [
      reason === undefined
        ? `no figure depends on ${name}: all of its values give the same`
        : `no figure depends on ${name}, and none can: ${reason}`,
    ];
  });
}

export function gridText(axes: readonly GridAxis[], runs: readonly GridRun[], paint: Paint): string {
  return figuresText(gridTable(axes, runs), paint);
}

/** The same table for a page. */
export function gridSections(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
): { warnings: string[]; sections: FiguresSection[] } {
  const table = gridTable(axes, runs);
  return { warnings: table.warnings, sections: figuresSections(table) };
}

/** Files of a finished grid by name. */
export function gridFiles(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
): Record<'grid.json' | 'grid.csv' | 'grid.md' | 'grid.tex', string> {
  const table = gridTable(axes, runs);
  return {
    'grid.json': gridJson(table, runs),
    'grid.csv': figuresCsv(table),
    'grid.md': figuresMarkdown(table),
    'grid.tex': figuresLatex(table),
  };
}

function gridJson({ axes, warnings }: FiguresTable, runs: readonly GridRun[]): string {
  const cells = runs.map(({ cell, run }) => ({
    choices: Object.fromEntries(cell.texts.map((text, at) => [axes[at], text])),
    results: `cells/${cell.folder}/results.json`,
    model: run.settings.model,
    dataSets: run.dataSets.map(({ name, mean, learnedOn }) => ({ name, learnedOn, mean })),
  }));
  return `${JSON.stringify({ format: 1, axes, warnings, cells }, null, 1)}\n`;
}
