/** One table for a grid, as Table 2 of the paper: a row for each combination, the means of each data set. */
import type { TestRun } from '../runs/test-run.js';
import type { Paint } from '../terminal/paint.js';
import { figureRows, limitsOf } from './figure-rows.js';
import type { GridAxis, GridCell } from './grid.js';
import { idleAxes } from './idle-axes.js';
import { columnsFor } from './outputs/columns.js';
import {
  byDataSet,
  type FiguresSection,
  type FiguresTable,
  figuresCsv,
  figuresLatex,
  figuresMarkdown,
  figuresSections,
  figuresText,
} from './outputs/figures-table.js';
import type { Beside } from './paper-grid.js';
import { notesOfRows, warningsOfRows } from './row-words.js';

export interface GridRun {
  cell: GridCell;
  run: TestRun;
}

const k_note =
  'means over the classes that have the figure, in percent; each combination is a run of its own below cells/';

function gridTable(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
  beside: Beside | undefined,
): FiguresTable {
  const columns = columnsFor(runs[0]!.run.settings.limits);
  const cells = runs.map(({ cell, run }) => ({ cell, runs: [run] }));
  const rows = cells.flatMap((of) => figureRows(of, columns, beside));
  return {
    title: beside ? `The paper's ${beside.title}` : 'Grid',
    axes: axes.map(({ name }) => name),
    columns,
    rows: byDataSet(rows),
    warnings: [
      ...idleAxes(
        axes,
        rows.filter(({ isPublished }) => !isPublished),
        runs.map(({ run }) => run.settings),
      ),
      ...warningsOfRows(cells),
      ...limitsOf(cells, beside),
    ],
    notes: [...(beside?.notes ?? []), ...notesOfRows(cells)],
    note: k_note,
  };
}

export function gridText(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
  paint: Paint,
  beside?: Beside,
): string {
  return figuresText(gridTable(axes, runs, beside), paint);
}

/** The same table for a page. */
export function gridSections(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
): { warnings: string[]; notes: string[]; sections: FiguresSection[] } {
  const table = gridTable(axes, runs, undefined);
  return { warnings: table.warnings, notes: table.notes, sections: figuresSections(table) };
}

/** Files of a finished grid by name. */
export function gridFiles(
  axes: readonly GridAxis[],
  runs: readonly GridRun[],
  beside?: Beside,
): Record<'grid.json' | 'grid.csv' | 'grid.md' | 'grid.tex', string> {
  const table = gridTable(axes, runs, beside);
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
