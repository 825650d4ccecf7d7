/** One training of several, and the test of what it learned. */
import { join } from 'node:path';
import type { StepLosses } from '../addon/training.js';
import type { ErrorCode } from '../errors.js';
import type { GridCell } from '../evaluate/grid.js';
import type { TestRun } from '../runs/test-run.js';

export interface Trial {
  cell: GridCell;
  seed: number;
  /** of the training, below the folder of all, with `/` between; its test is in `test` within */
  folder: string;
}

export interface LearnedTrial {
  trial: Trial;
  /** means over the last epoch */
  losses: StepLosses;
  /** undefined: nothing was to be tested */
  run?: TestRun;
}

export interface FailedTrial {
  trial: Trial;
  error: { code: ErrorCode; message: string };
}

export type TrialResult = LearnedTrial | FailedTrial;

export function isLearned(result: TrialResult): result is LearnedTrial {
  return 'losses' in result;
}

/** Cells one after the other, in each the seeds: an engine serves all seeds of a cell. */
export function trialsOf(cells: readonly GridCell[], seeds: readonly number[]): Trial[] {
  return cells.flatMap((cell) =>
    seeds.map((seed) => ({ cell, seed, folder: `cells/${cell.folder}/seed_${seed}` })),
  );
}

/** "eAttn=vv seed 111" */
export function trialName({ cell: { label }, seed }: Trial): string {
  return label === '' ? `seed ${seed}` : `${label} seed ${seed}`;
}

/** Absolute path of a folder of trials. */
export function within(out: string, folder: string): string {
  return join(out, ...folder.split('/'));
}
