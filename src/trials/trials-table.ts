/** One table for trainings: a row for each cell, the mean over its seeds and their spread. */
import { figureRows, limitsOf } from '../evaluate/figure-rows.js';
import type { GridAxis, GridCell } from '../evaluate/grid.js';
import { idleAxes } from '../evaluate/idle-axes.js';
import { columnsFor } from '../evaluate/outputs/columns.js';
import {
  byDataSet,
  type FigureCell,
  type FigureHead,
  type FiguresRow,
  type FiguresTable,
} from '../evaluate/outputs/figures-table.js';
import type { Beside } from '../evaluate/paper-grid.js';
import { notesOfRows, warningsOfRows } from '../evaluate/row-words.js';
import { type LossTerm, lossTerms } from '../runs/loss-history.js';
import { spreadOf } from '../runs/spread.js';
import type { TestRun } from '../runs/test-run.js';
import { type FailedTrial, isLearned, type LearnedTrial, type TrialResult, trialName } from './trial.js';

export interface TrialsTableWork {
  axes: readonly GridAxis[];
  cells: readonly GridCell[];
  seeds: readonly number[];
  results: readonly TrialResult[];
  beside: Beside | undefined;
}

interface CellResults {
  cell: GridCell;
  learned: LearnedTrial[];
}

const k_single = 'means over the classes that have the figure, in percent';
const k_losses = 'losses are means over the last epoch, weighted as they are learned from';

export function trialsTable(work: TrialsTableWork): FiguresTable {
  const { axes, cells, seeds, results, beside } = work;
  const learned = results.filter(isLearned);
  const ofCells = cells.map((cell) => ({
    cell: withRuns(cell, learned, seeds),
    learned: learned.filter(({ trial }) => trial.cell.folder === cell.folder),
  }));
  const tested = learned.flatMap(({ run }) => run ?? []);
  const { columns, rows } =
    tested.length > 0
      ? testedRows(ofCells, tested[0]!, beside)
      : { columns: lossHeads(), rows: lossRows(ofCells) };
  const failed = results.filter((result) => !isLearned(result)) as FailedTrial[];
  const read = tested.length > 0 ? k_single : k_losses;
  return {
    title: beside ? `The paper's ${beside.title}` : 'Trainings',
    axes: [...axes.map(({ name }) => name), 'runs'],
    columns,
    rows,
    warnings: [
      ...failed.map(({ trial, error }) => `${trialName(trial)} failed: ${error.code}: ${error.message}`),
      ...idleAxes(
        axes,
        rows.filter(({ isPublished }) => !isPublished),
        tested.map(({ settings }) => settings),
      ),
      ...warningsOfRows(ofCells.map(runsOf)),
      ...limitsOf(ofCells.map(runsOf), beside),
    ],
    notes: [...(beside?.notes ?? []), ...notesOfRows(ofCells.map(runsOf))],
    note:
      seeds.length === 1
        ? `${read}; each training is below cells/, its test in its folder test/`
        : `${read}; mean ± sample standard deviation (n - 1) over the runs of a row, which differ in their seed (${seeds[0]} to ${seeds.at(-1)}); each is below cells/`,
  };
}

/** How many of its trainings a row stands for. */
function withRuns(cell: GridCell, learned: readonly LearnedTrial[], seeds: readonly number[]): GridCell {
  const own = learned.filter(({ trial }) => trial.cell.folder === cell.folder).length;
  const runs = own === seeds.length ? String(own) : `${own} of ${seeds.length}`;
  return { ...cell, texts: [...cell.texts, runs] };
}

function runsOf({ cell, learned }: CellResults): { cell: GridCell; runs: TestRun[] } {
  return { cell, runs: learned.flatMap(({ run }) => run ?? []) };
}

function testedRows(ofCells: readonly CellResults[], first: TestRun, beside: Beside | undefined) {
  const columns = columnsFor(first.settings.limits);
  return { columns, rows: byDataSet(ofCells.flatMap((of) => figureRows(runsOf(of), columns, beside))) };
}

function lossHeads(): FigureHead[] {
  return lossTerms.map((term) => ({ key: `loss_${term}`, level: 'loss', title: term, detail: '' }));
}

function lossRows(ofCells: readonly CellResults[]): FiguresRow[] {
  return ofCells.flatMap(({ cell, learned }) =>
    learned.length === 0
      ? []
      : [
          {
            values: cell.texts,
            dataSet: 'last epoch',
            cells: lossTerms.map((term) => lossCell(learned, term)),
          },
        ],
  );
}

function lossCell(learned: readonly LearnedTrial[], term: LossTerm): FigureCell {
  const { mean: value, deviation } = spreadOf(learned.map(({ losses }) => losses[term]));
  return learned.length === 1 ? { value } : { value, deviation };
}
