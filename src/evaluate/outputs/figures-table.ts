/** One table of means for several runs: a row for each run and data set, what is published of it below. */
import { stringify } from 'csv-stringify/sync';
import type { Paint } from '../../terminal/paint.js';
import { visible } from '../../terminal/visible.js';
import type { Column } from './columns.js';
import { escapeLatex } from './latex.js';
import { escapeMarkdown, grid } from './markdown.js';
import { type Cell, percent } from './rows.js';
import { aligned } from './text-table.js';

/** A figure, or the mean of one over several runs. */
export interface FigureCell extends Cell {
  /** over several runs: sample standard deviation; null: of one run there is none */
  deviation?: number | null;
}

export interface FiguresRow {
  /** of the axes */
  values: string[];
  dataSet: string;
  cells: FigureCell[];
  /** what the paper prints of it */
  isPublished?: boolean;
}

/** What stands over a column of figures. */
export interface FigureHead extends Pick<Column, 'key' | 'title' | 'detail'> {
  level: Column['level'] | 'loss';
}

export interface FiguresTable {
  title: string;
  axes: string[];
  /** shares from 0 to 1, shown in percent; losses as they are */
  columns: FigureHead[];
  rows: FiguresRow[];
  warnings: string[];
  /** what is known of the table, a sentence each */
  notes: string[];
  /** how the figures are to be read */
  note: string;
}

/** A data set, a head for each figure, a row for each run and what is published of it. */
export interface FiguresSection {
  dataSet: string;
  heads: string[];
  rows: { label: string; isPublished: boolean; cells: string[] }[];
}

/** The figures of one data set stand under each other: they are what one compares. */
export function byDataSet(rows: readonly FiguresRow[]): FiguresRow[] {
  return dataSetsOf(rows).flatMap((name) => rows.filter(({ dataSet }) => dataSet === name));
}

function dataSetsOf(rows: readonly FiguresRow[]): string[] {
  return [...new Set(rows.map(({ dataSet }) => dataSet))];
}

/** "94.7", over several runs "94.7 ± 0.3". */
function textOf({ value, deviation }: FigureCell, { level }: FigureHead): string {
  const shown = (figure: number) => (level === 'loss' ? figure.toFixed(4) : percent({ value: figure }));
  if (value === null) return percent({ value });
  return deviation === undefined || deviation === null
    ? shown(value)
    : `${shown(value)} ± ${shown(deviation)}`;
}

function textsOf({ cells }: FiguresRow, columns: readonly FigureHead[]): string[] {
  return cells.map((cell, at) => textOf(cell, columns[at]!));
}

function headOf({ level, title, detail }: FigureHead): string {
  return `${level} ${title}${detail && ` ${detail}`}`;
}

export function figuresText(table: FiguresTable, paint: Paint): string {
  const { axes, columns, rows, warnings, notes, note } = table;
  const heads = columns.map(({ level, title, detail }) => `${level}\n${title}${detail && `\n${detail}`}`);
  const lines = rows.map((row) => [
    visible(row.dataSet),
    ...row.values.map(visible),
    ...textsOf(row, columns),
  ]);
  return [
    ...warnings.map((text) => paint.yellow(`WARNING: ${visible(text)}`)),
    aligned([['data set', ...axes, ...heads].map(paint.dim), ...lines]),
    ...[...notes, note].map((text) => paint.dim(visible(text))),
    '',
  ].join('\n');
}

/** The same table for a page. */
export function figuresSections({ columns, rows }: FiguresTable): FiguresSection[] {
  return dataSetsOf(rows).map((dataSet) => ({
    dataSet,
    heads: columns.map(headOf),
    rows: rows
      .filter((row) => row.dataSet === dataSet)
      .map((row) => ({
        label: row.values.filter((value) => value !== '').join(' '),
        isPublished: row.isPublished ?? false,
        cells: textsOf(row, columns),
      })),
  }));
}

/** Shares from 0 to 1 with all digits; over several runs each figure has its deviation behind it. */
export function figuresCsv({ axes, columns, rows }: FiguresTable): string {
  const hasSpread = rows.some(({ cells }) => cells.some(({ deviation }) => deviation !== undefined));
  const both = <T>(value: T, spread: T) => (hasSpread ? [value, spread] : [value]);
  return stringify([
    ['data_set', ...axes, ...columns.flatMap(({ key }) => both(key, `${key}_deviation`))],
    ...rows.map(({ values, dataSet, cells }) => [
      dataSet,
      ...values,
      ...cells.flatMap(({ value, deviation }) => both(value ?? '', deviation ?? '')),
    ]),
  ]);
}

export function figuresMarkdown(table: FiguresTable): string {
  const { title, axes, columns, rows, warnings, notes, note } = table;
  const lines = rows.map((row) => [
    escapeMarkdown(row.dataSet),
    ...row.values.map(escapeMarkdown),
    ...textsOf(row, columns),
  ]);
  const blocks = [
    `# ${escapeMarkdown(title)}`,
    ...warnings.map((text) => `> **Warning:** ${escapeMarkdown(text)}`),
    grid(['data set', ...axes, ...columns.map(headOf)], lines),
    [...notes.map(escapeMarkdown), note].map((text) => `- ${text}`).join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

export function figuresLatex(table: FiguresTable): string {
  const { axes, columns, rows, warnings, notes, note } = table;
  const line = (cells: readonly string[]) => `${cells.map(escapeLatex).join(' & ')} \\\\`;
  return `${[
    ...[...warnings, ...notes, note, 'needs \\usepackage{booktabs}'].map(
      (text) => `% ${text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}`,
    ),
    `\\begin{tabular}{${'l'.repeat(axes.length + 1)}${'r'.repeat(columns.length)}}`,
    '\\toprule',
    line(['data set', ...axes, ...columns.map(headOf)]),
    '\\midrule',
    ...rows.map((row) => line([row.dataSet, ...row.values, ...textsOf(row, columns)])),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n')}\n`;
}
