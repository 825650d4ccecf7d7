/** Tests every combination of a grid; engines are loaded only where a combination needs another one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import { removeLeft } from '../files/left-files.js';
import { isThere, writeWhole } from '../files/write-whole.js';
import type { AllOptions } from '../options/types.js';
import { type EvaluateDataSetsOptions, evaluateIn, type TestProgress } from './evaluate-data-sets.js';
import { engineKey, type GridAxis, type GridCell, gridCells } from './grid.js';
import { type GridRun, gridFiles } from './grid-table.js';
import type { Beside } from './paper-grid.js';

export interface GridOptions {
  axes: readonly GridAxis[];
  /** all combinations of the axes unless said */
  cells?: readonly GridCell[];
  /** what the paper prints of the cells */
  beside?: Beside | undefined;
  data: readonly string[];
  out: string;
  resume: boolean;
  force: boolean;
  /** called for the first combination of each kind of engine; the engine is disposed here */
  openEngine: (choices: Partial<AllOptions>) => Promise<Engine>;
  /** all else that evaluateDataSets takes, for one combination on its engine */
  optionsOf: (choices: Partial<AllOptions>, engine: Engine) => CellOptions | Promise<CellOptions>;
  /** every run keeps the maps of the same pictures (shown-pictures.ts) */
  keepsShown?: boolean;
  /** folder for a panel of every picture, in a folder for each cell */
  panels?: string | undefined;
  signal?: AbortSignal;
  onProgress: (cell: GridCell, at: number, of: number, progress: TestProgress) => void;
}

type CellOptions = Omit<EvaluateDataSetsOptions, 'engine' | 'data' | 'out' | 'resume' | 'force' | 'signal'>;

const k_files = ['grid.json', 'grid.csv', 'grid.md', 'grid.tex'] as const;

/** @throws as evaluateDataSets; E_TEST_RESUME also for a grid of other axes over the same cells */
export async function evaluateGrid(options: GridOptions, env: NodeJS.ProcessEnv): Promise<GridRun[]> {
  const { axes, data, out, resume, force, signal, onProgress } = options;
  const { cells = gridCells(axes), beside } = options;
  await checkFree(out, { resume, force });
  const runs: GridRun[] = [];
  let open: { key: string; engine: Engine } | undefined;
  try {
    for (const [at, cell] of cells.entries()) {
      const key = engineKey(cell);
      if (open?.key !== key) {
        await open?.engine.dispose();
        open = undefined;
        open = { key, engine: await options.openEngine(cell.choices) };
      }
      const { engine } = open;
      const run = await evaluateCell(cell, async () =>
        evaluateIn(
          {
            ...(await options.optionsOf(cell.choices, engine)),
            engine,
            data,
            out: join(out, 'cells', cell.folder),
            resume,
            force,
            ...(signal ? { signal } : {}),
            onProgress: (progress) => onProgress(cell, at, cells.length, progress),
          },
          env,
          {
            keepsShown: options.keepsShown ?? false,
            panels: options.panels === undefined ? undefined : join(options.panels, cell.folder),
          },
        ),
      );
      runs.push({ cell, run });
    }
  } finally {
    await open?.engine.dispose();
  }
  for (const [name, text] of Object.entries(gridFiles(axes, runs, beside)))
    await writeWhole(join(out, name), text, { overwrite: true });
  return runs;
}

/** A new grid begins without the tables of an earlier one. */
async function checkFree(out: string, { resume, force }: { resume: boolean; force: boolean }): Promise<void> {
  if (force || resume) await removeLeft(out);
  if (force && !resume) {
    for (const name of k_files) await rm(join(out, name), { force: true });
    return;
  }
  if (resume) return;
  for (const name of ['cells', ...k_files]) {
    if (await isThere(join(out, name)))
      throw new CraneError('E_EXISTS', `${out}: holds a grid already`, {
        hint: 'go on with --resume, start anew with --force, or choose another --out',
      });
  }
}

/** Faults are told with the combination. */
async function evaluateCell(cell: GridCell, evaluate: () => ReturnType<typeof evaluateIn>) {
  try {
    return await evaluate();
  } catch (thrown) {
    throw inCell(thrown, cell);
  }
}

function inCell(thrown: unknown, { label }: GridCell): unknown {
  if (!(thrown instanceof CraneError) || thrown.code === 'E_CANCELLED') return thrown;
  return new CraneError(thrown.code, `${label}: ${thrown.message}`, { hint: thrown.hint, cause: thrown });
}
