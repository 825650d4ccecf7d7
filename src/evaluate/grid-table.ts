/** One table for a grid, as Table 2 of the paper: a row for each combination, the means of each data set. */
import { stringify } from 'csv-stringify/sync';
import { whyIdle } from '../engine/idle-settings.js';
import type { PublishedComparison } from '../runs/paper/published.js';
import type { TestRun } from '../runs/test-run.js';
import type { Paint } from '../terminal/paint.js';
import type { GridAxis, GridCell } from './grid.js';
import { type Column, columnsFor } from './outputs/columns.js';
import { escapeLatex } from './outputs/latex.js';
import { escapeMarkdown, grid } from './outputs/markdown.js';
import { type Cell, percent } from './outputs/rows.js';
import { aligned } from './outputs/text-table.js';

export interface GridRun {
  cell: GridCell;
  run: TestRun;
}

interface GridRow {
  values: string[];
  dataSet: string;
  cells: Cell[];
  /** what the paper prints of it */
  isPublished?: boolean;
}

interface GridTable {
  axes: string[];
  columns: Column[];
  rows: GridRow[];
  warnings: string[];
}

function gridTable(axes: readonly GridAxis[], runs: readonly GridRun[]): GridTable {
  const columns = columnsFor(runs[0]!.run.settings.limits);
  const rows = runs.flatMap(({ cell, run }) =>
    run.dataSets.flatMap(({ name, mean, paper }) => {
      const ours: GridRow = {
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
  // The figures of one data set stand under each other: they are what one compares.
  const names = [...new Set(rows.map(({ dataSet }) => dataSet))];
  return {
    axes: axes.map(({ name }) => name),
    columns,
    rows: names.flatMap((name) => rows.filter(({ dataSet }) => dataSet === name)),
    warnings: [
      ...idleAxes(
        axes,
        rows.filter(({ isPublished }) => !isPublished),
        runs,
      ),
      ...new Set([...runs.flatMap(({ run }) => run.warnings), ...limitsOf(runs)]),
    ],
  };
}

/** What the paper prints of the same, under ours. */
function publishedRow(
  { values, dataSet }: GridRow,
  { column: title, mean }: PublishedComparison,
  columns: readonly Column[],
): GridRow {
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
function idleAxes(axes: readonly GridAxis[], rows: readonly GridRow[], runs: readonly GridRun[]): string[] {
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

const k_note =
  'means over the classes that have the figure, in percent; each combination is a run of its own below cells/';

export function gridText(axes: readonly GridAxis[], runs: readonly GridRun[], paint: Paint): string {
  const table = gridTable(axes, runs);
  const heads = table.columns.map(
    ({ level, title, detail }) => `${level}\n${title}${detail && `\n${detail}`}`,
  );
  const lines = table.rows.map(({ values, dataSet, cells }) => [dataSet, ...values, ...cells.map(percent)]);
  return [
    ...table.warnings.map((text) => paint.yellow(`WARNING: ${text}`)),
    aligned([['data set', ...table.axes, ...heads].map(paint.dim), ...lines]),
    paint.dim(k_note),
    '',
  ].join('\n');
}

/** The same table for a page: a data set, a head for each figure, a row for each combination and what is published of it. */
export function gridSections(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
): {
  warnings: string[];
  sections: {
    dataSet: string;
    heads: string[];
    rows: { label: string; isPublished: boolean; cells: string[] }[];
  }[];
} {
  const { columns, rows, warnings } = gridTable(axes, runs);
  const heads = columns.map(({ level, title, detail }) => `${level} ${title}${detail && ` ${detail}`}`);
  const names = [...new Set(rows.map(({ dataSet }) => dataSet))];
  const sections = names.map((dataSet) => ({
    dataSet,
    heads,
    rows: rows
      .filter((row) => row.dataSet === dataSet)
      .map(({ values, cells, isPublished = false }) => ({
        label: values.filter((value) => value !== '').join(' '),
        isPublished,
        cells: cells.map(percent),
      })),
  }));
  return { warnings, sections };
}

/** Files of a finished grid by name. */
export function gridFiles(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
): Record<'grid.json' | 'grid.csv' | 'grid.md' | 'grid.tex', string> {
  const table = gridTable(axes, runs);
  return {
    'grid.json': gridJson(table, runs),
    'grid.csv': gridCsv(table),
    'grid.md': gridMarkdown(table),
    'grid.tex': gridLatex(table),
  };
}

function gridJson({ axes, warnings }: GridTable, runs: readonly GridRun[]): string {
  const cells = runs.map(({ cell, run }) => ({
    choices: Object.fromEntries(cell.texts.map((text, at) => [axes[at], text])),
    results: `cells/${cell.folder}/results.json`,
    model: run.settings.model,
    dataSets: run.dataSets.map(({ name, mean, learnedOn }) => ({ name, learnedOn, mean })),
  }));
  return `${JSON.stringify({ format: 1, axes, warnings, cells }, null, 1)}\n`;
}

function gridCsv({ axes, columns, rows }: GridTable): string {
  const head = ['data_set', ...axes, ...columns.map(({ key }) => key)];
  return stringify([
    head,
    ...rows.map(({ values, dataSet, cells }) => [
      dataSet,
      ...values,
      ...cells.map(({ value }) => value ?? ''),
    ]),
  ]);
}

function gridMarkdown({ axes, columns, rows, warnings }: GridTable): string {
  const head = [
    'data set',
    ...axes,
    ...columns.map(({ level, title, detail }) => `${level} ${title}${detail && ` ${detail}`}`),
  ];
  const lines = rows.map(({ values, dataSet, cells }) => [
    escapeMarkdown(dataSet),
    ...values.map(escapeMarkdown),
    ...cells.map(percent),
  ]);
  const blocks = [
    '# Grid',
    ...warnings.map((text) => `> **Warning:** ${escapeMarkdown(text)}`),
    grid(head, lines),
    k_note,
  ];
  return `${blocks.join('\n\n')}\n`;
}

function gridLatex({ axes, columns, rows, warnings }: GridTable): string {
  const line = (cells: readonly string[]) => `${cells.map(escapeLatex).join(' & ')} \\\\`;
  return `${[
    ...[...warnings, k_note, 'needs \\usepackage{booktabs}'].map(
      (text) => `% ${text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}`,
    ),
    `\\begin{tabular}{${'l'.repeat(axes.length + 1)}${'r'.repeat(columns.length)}}`,
    '\\toprule',
    line([
      'data set',
      ...axes,
      ...columns.map(({ level, title, detail }) => `${level} ${title}${detail && ` ${detail}`}`),
    ]),
    '\\midrule',
    ...rows.map(({ values, dataSet, cells }) => line([dataSet, ...values, ...cells.map(percent)])),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n')}\n`;
}
