/** What a training would do and need: told before it begins (--dry-run). */
import { rm } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import type { SetSummary } from '../data/summary.js';
import { toCraneError } from '../errors.js';
import { temporaryFolder } from '../files/temporary-folder.js';
import { featureBytes, freeBytes } from './feature-cache.js';
import { learnItem, withMask } from './learn.js';
import type { LearningPicture } from './learning-pictures.js';
import { type PreparedRun, prepareRun } from './prepare-run.js';
import type { RunEvent } from './progress.js';
import { learnerSettings } from './settings.js';
import type { Training } from './training.js';

export interface PlanOptions {
  /** time one picture and one step, which takes as long as they take */
  measure?: boolean;
  signal?: AbortSignal;
  onProgress?: (event: RunEvent) => void;
}

export interface TrainPlan {
  sets: SetSummary[];
  learnedOn: string[];
  /** of one run */
  pictures: number;
  mosaics: number;
  runs: number;
  epochs: number;
  stepsPerEpoch: number;
  features: {
    folder: string;
    precision: 'f16' | 'f32';
    found: number;
    missing: number;
    bytesEach: number;
    /** that the missing ones will take */
    bytesMissing: number;
    /** of the cache's disk; undefined: the system does not say */
    bytesFree: number | undefined;
  };
  memory: { /** an estimate */ needed: number; free: number };
  /** only when measured: seconds of one picture, of one step, and of the whole as an estimate */
  seconds?: { picture: number; step: number; total: number };
  notes: string[];
}

/** Plans the first run; further seeds find its features in the cache. */
export async function planTraining(
  training: Training,
  seeds: readonly number[],
  { measure = false, signal, onProgress }: PlanOptions,
): Promise<TrainPlan> {
  const prepared = await drain(prepareRun(training, seeds[0]!, signal), onProgress);
  const { settings, cache, data } = training;
  const missing = prepared.missing.length;
  const stepsPerEpoch = Math.ceil(prepared.pictures / settings.batchSize);
  const plan: TrainPlan = {
    sets: prepared.sets,
    learnedOn: prepared.learnedOn,
    pictures: prepared.pictures,
    mosaics: prepared.learning.length - prepared.pictures,
    runs: seeds.length,
    epochs: settings.epochs,
    stepsPerEpoch,
    features: {
      folder: cache.folder,
      precision: settings.cachePrecision,
      found: prepared.files - missing,
      missing,
      bytesEach: cache.fileBytes,
      bytesMissing: missing * cache.fileBytes,
      bytesFree: await freeBytes(cache.folder),
    },
    memory: { needed: memoryNeed(training), free: freemem() },
    notes: [...data.notes, ...prepared.notes],
  };
  if (!measure) return plan;
  const { picture, step } = await timeOne(training, prepared).catch(asCoded);
  const total = missing * picture + seeds.length * settings.epochs * stepsPerEpoch * step;
  return { ...plan, seconds: { picture, step, total } };
}

async function drain<E, R>(
  events: AsyncGenerator<E, R, undefined>,
  onEvent?: (event: E) => void,
): Promise<R> {
  for (;;) {
    // What onEvent throws is its caller's own.
    const next = await events.next().catch(asCoded);
    if (next.done) return next.value;
    onEvent?.(next.value);
  }
}

function asCoded(thrown: unknown): never {
  throw toCraneError(thrown);
}

/**
 * Bytes: the weights, one picture in the towers, and one step: a batch of features twice (as read and in float32)
 * and what the text tower keeps for its backward pass, about 24 rows a text and 20 values of its width a block.
 */
function memoryNeed({ parts, cache, settings }: Training): number {
  const { weightBytes, workingBytes, text } = parts.native.facts;
  const features = 3 * featureBytes(cache.shape, 'f16') * settings.batchSize;
  const rows = 2 * settings.batchSize * ((settings.contextRows ?? 0) + (settings.deepTokens ?? 0) + 8);
  return weightBytes + workingBytes + features + rows * text.width * text.layers * 20 * 4;
}

/** The first time warms up, the second one counts. */
async function timeOne(
  training: Training,
  prepared: PreparedRun,
): Promise<{ picture: number; step: number }> {
  const { parts, cache, method, settings } = training;
  const folder = await temporaryFolder();
  try {
    const first = prepared.learning[0]!;
    const features = join(folder, 'features.safetensors');
    const masks = first.mask === undefined ? [] : [{ name: first.mask, anomalous: await first.countCells() }];
    const picture = await secondTime(async () => {
      const decoded = await decodeFree(first);
      await parts.native.writeFeatures(
        [{ picture: decoded, path: features, masks }],
        cache.settings.precision,
        method,
      );
    });
    const learning = await parts.native.beginTraining(
      prepared.start.source,
      method,
      learnerSettings(settings, method, settings.seed),
    );
    const item = await withMask(learnItem(first, features, settings));
    const batch = Array.from({ length: Math.min(settings.batchSize, prepared.pictures) }, () => item);
    const step = await secondTime(() => learning.step(batch)).finally(() => learning.end());
    return { picture, step };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function decodeFree(picture: LearningPicture) {
  return picture.decode(async () => {});
}

async function secondTime(work: () => Promise<unknown>): Promise<number> {
  await work();
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
