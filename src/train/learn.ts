/** The loop of one run: epochs, steps, checkpoints, saved states. */
import type { NativeTraining, StepLosses, TrainItem } from '../addon/training.js';
import { CraneError, type ErrorCode, toCraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import { isThere } from '../files/write-whole.js';
import { rememberPrompts } from '../models/known-prompts.js';
import type { LossHistory } from '../runs/loss-history.js';
import type { TrainSettings } from '../runs/train-settings.js';
import type { Fingerprint } from '../runs/training-fingerprint.js';
import type { EpochOrders } from './epoch-orders.js';
import type { LearningPicture } from './learning-pictures.js';
import { Pace, type RunEvent } from './progress.js';
import type { RunFolder } from './run-folder.js';
import { type Position, saveState } from './saved-state.js';
import { throwIfStopped } from './stopped.js';

/** A picture of a step, whose mask is read for it where the learner wants whole masks. */
export interface LearnItem extends Omit<TrainItem, 'mask'> {
  readMask?: () => Promise<Uint8Array>;
}

/** The counts of its cells lie in `features`; where pixels are told apart, the mask is read when it is its turn. */
export function learnItem(
  { mask, isAnomalous, className, readPixels }: LearningPicture,
  features: string,
  { upsampling }: TrainSettings,
): LearnItem {
  const own = { features, isAnomalous, className };
  if (upsampling !== 'bilinear') return { ...own, cells: mask };
  return { ...own, cells: undefined, ...(mask === undefined ? {} : { readMask: readPixels }) };
}

export interface LearnRun {
  training: NativeTraining;
  /** what the indices of an order mean: pictures, then mosaics */
  items: readonly LearnItem[];
  /** pictures of one epoch */
  pictures: number;
  orders: EpochOrders;
  epochs: number;
  batchSize: number;
  /** steps after which the state is saved within an epoch; 0: never */
  saveEvery: number;
  folder: RunFolder;
  fingerprint: Fingerprint;
  /** where an earlier process stopped */
  position: Position | undefined;
  /** of the steps so far; grows */
  losses: LossHistory;
  /** of the prompts after the last epoch */
  promptMetadata: Record<string, string>;
  /** surroundings: where the cache folder is */
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
}

/**
 * The state is saved however the loop ends: when it is interrupted, when its consumer leaves, when a loss diverges.
 * @throws CraneError E_CANCELLED, E_TRAIN_DIVERGED, E_IO_WRITE, E_DISPOSED
 */
export async function* learn(run: LearnRun): AsyncGenerator<RunEvent, void, undefined> {
  const { losses } = run;
  const stepsPerEpoch = Math.ceil(run.pictures / run.batchSize);
  let { position } = run;
  let isSaved = true;
  let hasFailed = false;
  const save = async () => {
    if (isSaved || !position) return;
    await saveState(run.training, run.folder.state, { position, losses }, run.fingerprint);
    isSaved = true;
  };

  const done = position ? picturesBefore(run, position.epoch, position.step) : 0;
  const pace = new Pace(run.epochs * run.pictures, done);
  let hasFinalPrompts = false;
  try {
    await restoreCheckpoint(run, stepsPerEpoch);
    for (let epoch = firstEpoch(position, stepsPerEpoch); epoch < run.epochs; epoch++) {
      const isGoingOn = position?.epoch === epoch;
      const order: Int32Array = isGoingOn ? position!.order : await run.orders.next(epoch);
      const from: number = isGoingOn ? position!.step : 0;
      for (let step = from; step < stepsPerEpoch; step++) {
        throwIfStopped(run.signal, `in epoch ${epoch + 1} after ${step} steps; the state is saved`);
        const batch = order.subarray(step * run.batchSize, (step + 1) * run.batchSize);
        const items = Array.from(batch, (at) => run.items[at]!);
        const now = await stepOf(run, items);
        losses.push(now);
        position = { epoch, step: step + 1, order, generator: run.orders.generator };
        isSaved = false;
        const isLast = step + 1 === stepsPerEpoch;
        if (!isLast && run.saveEvery > 0 && losses.steps % run.saveEvery === 0) await save();
        const { epochs } = run;
        const rate = pace.at(picturesBefore(run, epoch, step + 1));
        yield { stage: 'step', epoch: epoch + 1, epochs, losses: now, ...rate };
      }
      const checkpoint = run.folder.checkpoint(epoch + 1);
      await run.training.writeCheckpoint(checkpoint, 'pth', {});
      await rememberPrompts(await sha256OfFile(checkpoint), run.promptMetadata, run.env);
      if (epoch + 1 === run.epochs) {
        await writeFinalPrompts(run);
        hasFinalPrompts = true;
      }
      await save();
      const mean = losses.mean(epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch);
      yield { stage: 'epoch', epoch: epoch + 1, epochs: run.epochs, losses: mean, checkpoint };
    }
    // A complete run, gone on with: equal bytes, unless writing them was what failed.
    if (!hasFinalPrompts) await writeFinalPrompts(run);
  } catch (thrown) {
    hasFailed = true;
    // The state of the last good step; that it cannot be saved either must not hide why the loop ended.
    await save().catch(() => {});
    throw thrown;
  } finally {
    if (!hasFailed) await save();
  }
}

async function stepOf({ training }: LearnRun, items: LearnItem[]): Promise<StepLosses> {
  try {
    return await training.step(await Promise.all(items.map(withMask)));
  } catch (thrown) {
    const error = toCraneError(thrown);
    throw new CraneError(error.code, error.message, {
      hint: error.hint ?? k_hints[error.code],
      cause: thrown,
    });
  }
}

/** As a step takes it. */
export async function withMask({ readMask, ...item }: LearnItem): Promise<TrainItem> {
  return readMask ? { ...item, mask: await readMask() } : item;
}

const k_hints: Partial<Record<ErrorCode, string>> = {
  E_TRAIN_DIVERGED: 'start anew with a smaller --learning-rate or smaller loss weights',
  E_TRAIN_FEATURES: 'the same command with --resume computes damaged features again',
};

/** The state is saved also when writing the prompts of its epoch failed: they are made good here. */
async function restoreCheckpoint(
  { position, folder, training }: LearnRun,
  stepsPerEpoch: number,
): Promise<void> {
  if (!position || position.step < stepsPerEpoch) return;
  const checkpoint = folder.checkpoint(position.epoch + 1);
  if (!(await isThere(checkpoint))) await training.writeCheckpoint(checkpoint, 'pth', {});
}

function firstEpoch(position: Position | undefined, stepsPerEpoch: number): number {
  if (!position) return 0;
  return position.step >= stepsPerEpoch ? position.epoch + 1 : position.epoch;
}

function picturesBefore({ pictures, batchSize }: LearnRun, epoch: number, step: number): number {
  return epoch * pictures + Math.min(pictures, step * batchSize);
}

async function writeFinalPrompts({ training, folder, promptMetadata }: LearnRun): Promise<void> {
  await training.writeCheckpoint(folder.prompts, 'safetensors', promptMetadata);
}
