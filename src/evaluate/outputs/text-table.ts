/** The tables on a terminal. */
import Table from 'cli-table3';
import type { TestRun } from '../../runs/test-run.js';
import type { Paint } from '../../terminal/paint.js';
import { visible } from '../../terminal/visible.js';
import { conventionNotes, remarkNotes, undefinedNotes } from './footnotes.js';
import { paperNotes, paperTable, paperText, paperTitle } from './paper-rows.js';
import { type Cell, percent, type Row, type RunTables, tablesOf } from './rows.js';

export function runText(run: TestRun, paint: Paint): string {
  const tables = tablesOf(run);
  return [
    ...run.warnings.map((text) => paint.yellow(`WARNING: ${visible(text)}`)),
    figureTable(tables, paint),
    intervalTable(tables, paint),
    ...paperTables(run, tables, paint),
    ...[...undefinedNotes(tables), ...remarkNotes(run), ...conventionNotes(run)].map((text) =>
      paint.dim(visible(text)),
    ),
  ]
    .filter((text) => text !== '')
    .map((text) => `${text}\n`)
    .join('');
}

function figureTable({ columns, sets, overall }: RunTables, paint: Paint): string {
  const heads = columns.map(({ level, title, detail }) => `${level}\n${title}${detail && `\n${detail}`}`);
  const lines = [['', 'normal', 'anomalous', ...heads].map(paint.dim)];
  const figures = ({ label, normal, anomalous, cells }: Row, indent: string) => [
    indent + visible(label),
    normal === null ? '' : String(normal),
    anomalous === null ? '' : String(anomalous),
    ...cells.map(percent),
  ];
  for (const { set, rows } of sets) {
    lines.push([visible(set.name), ...['', '', ...columns.map(() => '')]]);
    for (const row of rows) lines.push(figures(row, '  '));
  }
  if (overall) lines.push(figures(overall, ''));
  return aligned(lines);
}

function intervalTable({ columns, sets }: RunTables, paint: Paint): string {
  const shown = columns.flatMap(({ interval, level, title }, at) =>
    interval ? [{ at, title: `${level} ${title}` }] : [],
  );
  const lines = sets.flatMap(({ set, rows }) =>
    rows
      .filter(({ cells }) => cells.some(({ interval }) => interval))
      .map(({ label, cells }) => [
        visible(`${set.name}/${label}`),
        ...shown.map(({ at }) => intervalText(cells[at]!)),
      ]),
  );
  if (lines.length === 0) return '';
  return aligned([['95 % intervals', ...shown.map(({ title }) => title)].map(paint.dim), ...lines]);
}

/** "81.0 to 97.2" */
export function intervalText({ interval }: Cell): string {
  return interval ? `${percent({ value: interval.low })} to ${percent({ value: interval.high })}` : 'n/a';
}

function paperTables(run: TestRun, { columns }: RunTables, paint: Paint): string[] {
  return run.dataSets.flatMap((set) => {
    const table = paperTable(set, columns);
    if (!table) return [];
    const head = ['', ...table.columns.map(({ level, title }) => `${level} ${title}`)];
    const rows = table.rows.map(({ label, isDoubtful, cells }) => [
      visible(label) + (isDoubtful ? ' ?' : ''),
      ...cells.map(paperText),
    ]);
    return [
      paperTitle(table.comparison),
      aligned([head.map(paint.dim), ...rows]),
      ...paperNotes(table.comparison).map((text) => paint.dim(visible(text))),
    ];
  });
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('mid-mid', 'middle')
    .map((place) => [place, '']),
);

export function aligned(lines: readonly string[][]): string {
  const table = new Table({
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: lines[0]!.map((_, at) => (at === 0 ? 'left' : 'right')),
  });
  table.push(...lines);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
