/** A table of the paper as a grid: a cell for each of its rows, and what it prints of them (runs/paper/experiments.ts). */
import { CraneError } from '../errors.js';
import { craneVariantNames, isCraneVariant } from '../models/model-names.js';
import type { PaperTableName } from '../options/preset-names.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName, TrainChoices } from '../options/types.js';
import { notComparable } from '../runs/paper/compare.js';
import { type ExperimentRow, type PaperExperiment, paperExperiments } from '../runs/paper/experiments.js';
import type { PrintedFigures } from '../runs/paper/published.js';
import type { TestedDataSet, TestRun } from '../runs/test-run.js';
import { type GridAxis, type GridCell, namedCells } from './grid.js';
import { type ExperimentModels, experimentModels } from './paper-models.js';

/** What stands beside the figures of a grid. */
export interface Beside {
  title: string;
  /** printed of a data set, or of the average under its name; undefined: nothing */
  printed(cell: GridCell, name: string): PrintedFigures | undefined;
  average?: { name: string; sets: readonly string[] };
  /** why published and own figures need not agree */
  limits(cell: GridCell, run: TestRun, set: TestedDataSet): string[];
  notes: readonly string[];
}

export interface PaperGrid {
  axis: GridAxis;
  cells: GridCell[];
  beside: Beside;
  experiment: PaperExperiment;
}

export interface PaperGridChoices {
  table: PaperTableName;
  /** as the caller gave them; undefined: he did not */
  model: string | undefined;
  preset: AllOptions['preset'] | undefined;
  method: string | undefined;
}

/** @throws CraneError E_USAGE where the table has no row of the method, or the model cannot be all that the rows need */
export function paperGrid({ table, model, preset, method = 'crane' }: PaperGridChoices): PaperGrid {
  const experiment = paperExperiments[table];
  const rows = rowsOf(experiment, table, method);
  const models = experimentModels(rows, table, model);
  const byFolder = new Map<string, ExperimentRow>();
  const cells = namedCells(
    rows.map((row) => ({ label: row.label, choices: choicesOf(row, experiment, models, preset) })),
  );
  for (const [at, { folder }] of cells.entries()) byFolder.set(folder, rows[at]!);
  const rowOf = ({ folder }: GridCell) => byFolder.get(folder)!;
  return {
    axis: {
      name: `table ${table}`,
      texts: rows.map(({ label }) => label),
      values: [],
      options: [
        ...new Set(rows.flatMap(({ choices, learning }) => Object.keys({ ...choices, ...learning }))),
      ],
    },
    cells,
    experiment,
    beside: {
      title: experiment.title,
      printed: (cell, name) =>
        Object.hasOwn(rowOf(cell).printed, name) ? rowOf(cell).printed[name] : undefined,
      ...(experiment.average ? { average: experiment.average } : {}),
      limits: (cell, { settings }, { published }) =>
        notComparable(published ?? '', settings, {
          models: craneVariantNames.filter((name) => name === rowOf(cell).model),
          ...(experiment.learnedOn === undefined ? {} : { learnedOn: experiment.learnedOn }),
        }),
      notes: experiment.notes,
    },
  };
}

/** A caller's value would give way to the rows' without a word. @throws CraneError E_USAGE */
export function refuseRowsOwn({ axis }: PaperGrid, isGiven: (name: OptionName) => boolean): void {
  const own = axis.options?.find((name) => isGiven(name as OptionName));
  if (own === undefined) return;
  throw new CraneError('E_USAGE', `the rows of ${axis.name} set ${own} themselves`, {
    hint: `leave --${flagName(own)} out`,
  });
}

/** Of a table with a row for each system: the one that is tested. */
function rowsOf({ rows }: PaperExperiment, table: string, method: string): ExperimentRow[] {
  const ofSystem = rows.filter(
    ({ model }) => (typeof model === 'string' ? 'crane' : model.method) === method,
  );
  if (ofSystem.length > 0) return ofSystem;
  throw new CraneError('E_USAGE', `the paper's table ${table} has no row of method ${method}`);
}

function choicesOf(
  { choices, learning, model }: ExperimentRow,
  { preset: own }: PaperExperiment,
  { nameOf, arePapers }: ExperimentModels,
  preset: AllOptions['preset'] | undefined,
): Partial<AllOptions> {
  const name = nameOf(model);
  // A preset is made for the paper's towers: others keep their own settings.
  const chosen =
    preset ?? (arePapers && typeof model === 'string' && isCraneVariant(model) ? own : undefined);
  return {
    ...(name === undefined ? {} : { model: name }),
    ...(chosen === undefined ? {} : { preset: chosen }),
    // As the published figures were made, where the defaults are others (docs/compat.md).
    comparePaper: true,
    ...choices,
    ...learning,
  } as Partial<AllOptions>;
}

/** Rows that differ in what is learned: a test with the same prompts for all would give equal rows. */
export function learningOptions({ rows }: PaperExperiment): (keyof TrainChoices)[] {
  return [...new Set(rows.flatMap(({ learning = {} }) => Object.keys(learning) as (keyof TrainChoices)[]))];
}
