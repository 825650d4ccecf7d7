/**
 * Trains every cell of a grid with every seed, tests what was learned, and writes one table. A training that fails is told
 * in the table and loses no other; a killed process is gone on from, for each training and each test has its own state.
 */
import type { Engine } from '../engine/engine.js';
import { CraneError, type ErrorCode, toCraneError } from '../errors.js';
import {
  type EvaluateDataSetsOptions,
  evaluateIn,
  type TestProgress,
} from '../evaluate/evaluate-data-sets.js';
import type { GridAxis, GridCell } from '../evaluate/grid.js';
import {
  type FiguresTable,
  figuresCsv,
  figuresLatex,
  figuresMarkdown,
} from '../evaluate/outputs/figures-table.js';
import type { Beside } from '../evaluate/paper-grid.js';
import { TestFolder } from '../evaluate/test-folder.js';
import { contentHash } from '../files/content-hash.js';
import { options as table } from '../options/table.js';
import type { AllOptions, OptionName, TrainChoices } from '../options/types.js';
import type { TestFingerprint } from '../runs/test-fingerprint.js';
import type { TrainProgress } from '../train/progress.js';
import { RunFolder } from '../train/run-folder.js';
import { makeTrainer } from '../train/trainer.js';
import { isLearned, type LearnedTrial, type Trial, type TrialResult, trialsOf, within } from './trial.js';
import { TrialsFolder } from './trials-folder.js';
import { trialsTable } from './trials-table.js';

export interface TrialsOptions {
  axes: readonly GridAxis[];
  cells: readonly GridCell[];
  seeds: readonly number[];
  /** what the paper prints of the cells */
  beside: Beside | undefined;
  /** to learn from */
  data: readonly string[];
  /** to test with what was learned; none: the table is of losses */
  testData: readonly string[];
  out: string;
  resume: boolean;
  force: boolean;
  /** called for the first cell of each kind of engine; the engine is disposed here */
  openEngine: (choices: Partial<AllOptions>) => Promise<Engine>;
  trainOptions: (choices: Partial<AllOptions>) => TrainChoices;
  testOptions: (choices: Partial<AllOptions>) => TestOptions;
  signal?: AbortSignal;
  onProgress: (trial: Trial, at: number, of: number, progress: TrialProgress) => void;
}

type TestOptions = Omit<
  EvaluateDataSetsOptions,
  'engine' | 'data' | 'out' | 'resume' | 'force' | 'signal' | 'prompts'
>;

export type TrialProgress =
  | { step: 'train'; event: TrainProgress }
  | { step: 'test'; event: TestProgress }
  | { step: 'failed'; error: CraneError };

export interface TrialsOutcome {
  results: TrialResult[];
  table: FiguresTable;
}

/** @throws CraneError E_EXISTS, E_IN_USE, E_CANCELLED, E_IO_WRITE; what is wrong with one training is told in its result */
export async function runTrials(options: TrialsOptions, env: NodeJS.ProcessEnv): Promise<TrialsOutcome> {
  const folder = new TrialsFolder(options.out);
  const lock = await folder.claim();
  try {
    await folder.checkFree(options);
    return await runIn(folder, options, env);
  } finally {
    await lock.release();
  }
}

async function runIn(
  folder: TrialsFolder,
  options: TrialsOptions,
  env: NodeJS.ProcessEnv,
): Promise<TrialsOutcome> {
  const { cells, seeds, axes, beside } = options;
  const trials = trialsOf(cells, seeds);
  const results: TrialResult[] = [];
  const write = (status: string) => folder.write({ status, ...recordOf(options, trials, results) });
  let hasBegun = false;
  const begin = async () => {
    if (hasBegun) return;
    hasBegun = true;
    await folder.removeTables();
    await write('running');
  };
  // What an earlier run left stays as it is until something changes: a command that is refused takes nothing away.
  if (!(await folder.hasRecord())) await begin();
  let open: { key: string; engine: Engine } | undefined;
  try {
    for (const [at, trial] of trials.entries()) {
      const tell = (progress: TrialProgress) => options.onProgress(trial, at, trials.length, progress);
      try {
        const key = engineKeyOf(trial.cell);
        if (open?.key !== key) {
          await open?.engine.dispose();
          open = undefined;
          open = { key, engine: await options.openEngine(trial.cell.choices) };
        }
        results.push(await runTrial(trial, open.engine, options, env, { begin, tell }));
      } catch (thrown) {
        const error = toCraneError(thrown);
        if (endsAll(error, results)) throw thrown;
        results.push({ trial, error: { code: error.code, message: error.message } });
        tell({ step: 'failed', error });
      }
      await begin();
      await write('running');
    }
  } catch (thrown) {
    const { code } = toCraneError(thrown);
    // Refused before anything was learned: the corrected command need not ask for a folder that holds nothing.
    if (code !== 'E_CANCELLED' && (await folder.isBare())) await folder.removeRecord();
    else if (hasBegun) await write(code === 'E_CANCELLED' ? 'interrupted' : 'failed').catch(() => {});
    throw thrown;
  } finally {
    await open?.engine.dispose();
  }
  const made = trialsTable({ axes, cells, seeds, results, beside });
  await folder.writeTables({
    'table.csv': figuresCsv(made),
    'table.md': figuresMarkdown(made),
    'table.tex': figuresLatex(made),
  });
  await write('complete');
  return { results, table: made };
}

async function runTrial(
  trial: Trial,
  engine: Engine,
  options: TrialsOptions,
  env: NodeJS.ProcessEnv,
  { begin, tell }: { begin: () => Promise<void>; tell: (progress: TrialProgress) => void },
): Promise<LearnedTrial> {
  const { data, testData, out, resume, force, signal } = options;
  const { choices } = trial.cell;
  const folder = within(out, trial.folder);
  const trainer = await makeTrainer(
    {
      ...options.trainOptions(choices),
      ...{ seed: trial.seed, seeds: 1 },
      ...{ engine, data: [...data], out: folder, resume, force },
    },
    env,
    { around: [new RunFolder(out)] },
  );
  const training = trainer.run(signal ? { signal } : {});
  for await (const event of training) {
    tell({ step: 'train', event });
    if (!k_changesNothing.has(event.stage)) await begin();
  }
  const { losses, prompts } = (await training).runs[0]!;
  if (testData.length === 0) return { trial, losses };
  const test = within(out, `${trial.folder}/test`);
  // A training that went on has other prompts, and what was tested before is none of theirs.
  const isAnew = resume && (await isOfOthers(test, prompts));
  const run = await evaluateIn(
    {
      ...options.testOptions(choices),
      ...(isAnew ? { force: true } : { resume, force }),
      ...(signal ? { signal } : {}),
      engine,
      data: [...testData],
      prompts,
      out: test,
      onProgress: (event) => tell({ step: 'test', event }),
    },
    env,
  );
  return { trial, losses, run };
}

/** Events of a training before it touches its folder. */
const k_changesNothing: ReadonlySet<TrainProgress['stage']> = new Set(['note', 'reading']);

/** A test is there, and it is of other prompts than this file's. */
async function isOfOthers(test: string, prompts: string): Promise<boolean> {
  const record = await new TestFolder(test).readRecord();
  if (record === undefined) return false;
  const made = record['made'] as Partial<TestFingerprint> | undefined;
  return made?.settings?.prompts?.sha256 !== (await contentHash(prompts));
}

/** What would end every other training too: nobody wants to read it a hundred times. */
const k_ofAll: ReadonlySet<ErrorCode> = new Set(['E_CANCELLED', 'E_DISPOSED', 'E_INTERNAL', 'E_IO_WRITE']);

/** A wrong option or data set is told before anything is learned. */
function endsAll({ code, exitCode }: CraneError, before: readonly TrialResult[]): boolean {
  return k_ofAll.has(code) || (before.length === 0 && (exitCode === 2 || code.startsWith('E_DATA_')));
}

/** Options that are fixed while an engine is loaded; those of the test and of learning are not. */
function engineKeyOf({ choices }: GridCell): string {
  const own = Object.entries(choices).filter(
    ([name]) => !['Training', 'Testing'].includes(table[name as OptionName].group),
  );
  return JSON.stringify(own);
}

function recordOf(
  { axes, seeds, data, testData }: TrialsOptions,
  trials: readonly Trial[],
  results: readonly TrialResult[],
) {
  const done = results.map((result) => {
    const { cell, seed, folder } = result.trial;
    const own = { values: cell.texts, seed, folder };
    if (!isLearned(result)) return { ...own, status: 'failed', error: result.error };
    const { losses, run } = result;
    return {
      ...own,
      status: 'complete',
      losses,
      ...(run ? { dataSets: run.dataSets.map(({ name, mean }) => ({ name, mean })) } : {}),
    };
  });
  const left = trials.slice(results.length).map(({ cell, seed, folder }) => ({
    ...{ values: cell.texts, seed, folder },
    status: 'open',
  }));
  return { axes: axes.map(({ name }) => name), seeds, data, testData, trials: [...done, ...left] };
}

/** The exit code (3) is that of inputs that failed. @returns undefined: none did */
export function someFailed(results: readonly TrialResult[]): CraneError | undefined {
  const failed = results.filter((result) => !isLearned(result)).length;
  if (failed === 0) return undefined;
  return new CraneError('E_TRIALS_FAILED', `${failed} of ${results.length} trainings failed`, {
    hint: 'the table names them; the same command with --resume tries them again',
  });
}
