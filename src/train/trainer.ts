/** createTrainer: learns prompts from labelled pictures, in one run or in several with different seeds. */
import { join } from 'node:path';
import { linked } from '../cancellation.js';
import { checkFields, flagField, functionField, signalField } from '../check-fields.js';
import type { Engine } from '../engine/engine.js';
import { CraneError, toCraneError } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import { checkOptions, checkPath, wrongValue } from '../options/check.js';
import { seedsFrom } from '../options/seeds.js';
import type { TrainChoices } from '../options/types.js';
import type { ReportRun } from '../pages/training/report-page.js';
import { type LossTerm, lossTerms } from '../runs/loss-history.js';
import { type Spread, spreadOf } from '../runs/spread.js';
import { type RunRecord, writeRecord } from '../runs/training-record.js';
import { choosePictures } from './choose-pictures.js';
import { refuseIdleMosaics } from './contradictions.js';
import type { LearnedPrompts, TrainOutcome } from './outcome.js';
import { type PlanOptions, planTraining, type TrainPlan } from './plan.js';
import type { TrainProgress } from './progress.js';
import { RunFolder } from './run-folder.js';
import { runSeed, type SeedRun } from './seed-run.js';
import { prepareTraining, type Training } from './training.js';
import { trainingPage } from './training-page.js';
import { TrainingRun } from './training-run.js';

export interface TrainerOptions extends TrainChoices {
  /** disposing it ends a run in progress, with its state saved */
  engine: Engine;
  /** data sets: roots or meta.json files */
  data: string | readonly string[];
  /** folder for prompts, state and report */
  out: string;
  /** go on with what an earlier run saved in `out`; start where there is nothing */
  resume?: boolean;
  /** take an earlier training in `out` away */
  force?: boolean;
}

export interface RunOptions {
  /** fires: the step is finished, the state saved, and the run ends with E_CANCELLED */
  signal?: AbortSignal;
  /** called for every event when the run is awaited */
  onProgress?: (progress: TrainProgress) => void;
}

/**
 * Opens data sets and checks everything that can be checked before the first picture is read. Writes nothing.
 * @throws CraneError E_USAGE, E_EXISTS, E_MODEL_CONFIG, E_DATA_*, E_DISPOSED
 */
export function createTrainer(options: TrainerOptions): Promise<Trainer> {
  return makeTrainer(options, process.env);
}

export interface TrainerPlace {
  /** folders around `out`: with `force` an earlier training there gives way too, once this one begins */
  around?: readonly RunFolder[];
  /** it will only plan, which writes nothing: whatever lies in `out` is in nobody's way */
  isPlan?: boolean;
}

/** As createTrainer, in surroundings of the caller's. */
export async function makeTrainer(
  options: TrainerOptions,
  env: NodeJS.ProcessEnv,
  { around = [], isPlan = false }: TrainerPlace = {},
): Promise<Trainer> {
  const checked = checkOptions('createTrainer', options ?? null);
  const { engine, data, out, resume = false, force = false, ...choices } = checked;
  const paths = typeof data === 'string' ? [data] : Array.isArray(data) ? [...(data as string[])] : [];
  if (paths.length === 0 || !paths.every((path) => typeof path === 'string' && path !== ''))
    throw wrongValue('a path or a list of paths', 'data', data);
  for (const path of paths) checkPath('data', path);
  checkPath('out', out);
  if (typeof engine?.settings !== 'function') throw wrongValue('an engine of loadEngine', 'engine', engine);
  // Not after an hour of learning.
  await trainingPage();
  const training = await prepareTraining(engine, paths, choices, env).catch((thrown: unknown) => {
    throw toCraneError(thrown);
  });
  const trainer = new Trainer(training, new RunFolder(out), { resume, force, around });
  if (!isPlan) await trainer.checkFolders();
  for (const seed of trainer.seeds) {
    const { items } = choosePictures(training.data, training.settings, seed);
    refuseIdleMosaics(items, training.settings);
  }
  return trainer;
}

type Ways = Pick<SeedRun, 'resume' | 'force' | 'around'>;

export class Trainer {
  readonly #training: Training;
  readonly #folder: RunFolder;
  readonly #ways: Ways;
  readonly #end = new AbortController();
  #running: TrainingRun | undefined;

  /** @internal Use createTrainer. */
  constructor(training: Training, folder: RunFolder, ways: Ways) {
    this.#training = training;
    this.#folder = folder;
    this.#ways = ways;
  }

  get seeds(): number[] {
    const { seed, seeds } = this.#training.settings;
    return seedsFrom(seed, seeds);
  }

  /** @internal @throws CraneError E_EXISTS */
  async checkFolders(): Promise<void> {
    await this.#folder.checkFree(this.#ways, this.seeds.length === 1 ? 'one' : 'seeds');
    for (const seed of this.seeds) await this.#folderOf(seed).checkFree(this.#ways);
  }

  #folderOf(seed: number): RunFolder {
    return this.seeds.length === 1 ? this.#folder : new RunFolder(join(this.#folder.path, `seed_${seed}`));
  }

  /** What `run` would do: pictures, disk, memory, and with `measure` time. Writes nothing that stays. */
  async plan(options: PlanOptions = {}): Promise<TrainPlan> {
    checkFields('plan', options, { measure: flagField, signal: signalField, onProgress: functionField });
    return planTraining(this.#training, this.seeds, options);
  }

  /**
   * Learns. `for await` over the result gives progress as it comes and learns only as far as it is asked; `await`
   * gives the outcome. A trainer runs once.
   */
  run(options: RunOptions = {}): TrainingRun {
    checkFields('run', options, { signal: signalField, onProgress: functionField });
    const { signal, onProgress } = options;
    if (this.#running)
      throw new CraneError('E_USAGE', 'this trainer runs or has run already: make another one');
    if (this.#end.signal.aborted) throw new CraneError('E_DISPOSED', 'the trainer was disposed');
    const ends = [this.#end.signal, this.#training.parts.disposed, signal];
    this.#running = new TrainingRun(this.#learnUntil(ends), onProgress);
    return this.#running;
  }

  /** Ends a run in progress after its step; its state is saved. */
  async dispose(): Promise<void> {
    this.#end.abort();
    await this.#running?.ended();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async *#learnUntil(
    ends: readonly (AbortSignal | undefined)[],
  ): AsyncGenerator<TrainProgress, TrainOutcome, undefined> {
    const { signal, release } = linked(ends);
    try {
      if (this.seeds.length === 1) return yield* this.#learn(signal, this.#ways);
      const lock = await this.#folder.claim();
      try {
        await this.checkFolders();
        const around = [...this.#ways.around, this.#folder];
        return yield* this.#learn(signal, { ...this.#ways, around });
      } finally {
        await lock.release();
      }
    } catch (thrown) {
      throw toCraneError(thrown);
    } finally {
      release();
    }
  }

  async *#learn(signal: AbortSignal, ways: Ways): AsyncGenerator<TrainProgress, TrainOutcome, undefined> {
    const { out, seeds } = { out: this.#folder.path, seeds: this.seeds };
    const hasOne = seeds.length === 1;
    for (const text of this.#training.data.notes)
      yield { stage: 'note', text, seed: seeds[0]!, run: 0, runs: seeds.length };
    const reports: ReportRun[] = [];
    const runs: LearnedPrompts[] = [];
    for (const [run, seed] of seeds.entries()) {
      const folder = this.#folderOf(seed);
      const events = runSeed(this.#training, { seed, folder, ...ways, signal });
      try {
        let next = await events.next();
        for (; !next.done; next = await events.next()) yield { ...next.value, seed, run, runs: seeds.length };
        const report = next.value;
        reports.push(report);
        const { losses, seconds } = report.record;
        runs.push({ seed, folder: folder.path, prompts: folder.prompts, losses: losses!, seconds });
      } finally {
        await events.return(undefined as never);
      }
    }
    const { learnedOn } = reports[0]!.record.data;
    if (hasOne) return { out, learnedOn, runs };
    const spread = spreadOfLosses(reports.map(({ record }) => record));
    const summary = { format: 1, status: 'complete', learnedOn, options: reports[0]!.record.options, spread };
    const ofRuns = runs.map((run) => ({
      ...run,
      folder: `seed_${run.seed}`,
      prompts: `seed_${run.seed}/prompts.safetensors`,
    }));
    await writeRecord(this.#folder.record, { ...summary, runs: ofRuns }, true);
    const { seedsPage } = await trainingPage();
    await writeWhole(this.#folder.report, seedsPage(reports), { overwrite: true });
    return { out, learnedOn, runs, spread };
  }
}

function spreadOfLosses(records: readonly RunRecord[]): Record<LossTerm, Spread> {
  const of = (term: LossTerm) => spreadOf(records.map(({ losses }) => losses![term]));
  return Object.fromEntries(lossTerms.map((term) => [term, of(term)])) as Record<LossTerm, Spread>;
}
