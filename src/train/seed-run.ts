/** One run from its pictures to its prompts, in one folder. */

import type { ClassTexts } from '../addon/training.js';
import { CraneError, toCraneError } from '../errors.js';
import { k_pictureDigits, sha256OfFile } from '../files/content-hash.js';
import { writeWhole } from '../files/write-whole.js';
import { originMetadata } from '../models/prompt-origin.js';
import type { ReportRun } from '../pages/training/report-page.js';
import { LossHistory } from '../runs/loss-history.js';
import type { TrainSettings } from '../runs/train-settings.js';
import {
  type RunRecord,
  readChecksums,
  readStatus,
  readTimes,
  writeRecord,
} from '../runs/training-record.js';
import { versionsOf } from '../runs/versions.js';
import { epochOrders } from './epoch-orders.js';
import { EpochRecords } from './epoch-records.js';
import { addCounts, fillCache } from './fill-cache.js';
import { learn, learnItem } from './learn.js';
import { type PreparedRun, prepareRun } from './prepare-run.js';
import type { RunEvent } from './progress.js';
import type { RunFolder } from './run-folder.js';
import { type Position, readState, type SavedRun } from './saved-state.js';
import { learnerSettings } from './settings.js';
import type { Training } from './training.js';
import { trainingPage } from './training-page.js';

/** Pictures that run through the towers together: features never depend on it. */
const k_batchOnGpu = 8;

export interface SeedRun {
  seed: number;
  folder: RunFolder;
  resume: boolean;
  force: boolean;
  /** folders around it: an earlier training there gives way too */
  around: readonly RunFolder[];
  signal: AbortSignal | undefined;
}

/**
 * However it ends, run.json says how; what can be told before the first picture is read leaves none.
 * @throws CraneError E_CANCELLED, E_DATA_*, E_EXISTS, E_IN_USE, E_PROMPTS, E_TRAIN_*, E_IO_WRITE, E_IMAGE_*
 */
export async function* runSeed(
  training: Training,
  run: SeedRun,
): AsyncGenerator<RunEvent, ReportRun, undefined> {
  const { folder } = run;
  const lock = await folder.claim();
  try {
    await folder.checkFree(run);
    // A run that is complete needs no cache any more.
    if ((await readStatus(folder.record)) !== 'complete') await training.cache.prepare();
    return yield* runInFolder(training, run);
  } finally {
    await lock.release();
  }
}

async function* runInFolder(
  training: Training,
  run: SeedRun,
): AsyncGenerator<RunEvent, ReportRun, undefined> {
  const { folder, signal } = run;
  const prepared = yield* prepareRun(training, run.seed, signal);
  const saved = run.resume
    ? await readState(training.parts.addon, folder.state, prepared.fingerprint, {
        pictures: prepared.pictures,
        items: prepared.learning.length,
        stepsPerEpoch: stepsPerEpoch(prepared, training),
      })
    : undefined;
  checkEpochs(training, prepared, saved, folder);

  const started = performance.now();
  const losses = saved?.losses ?? new LossHistory();
  const epochs = await epochsSoFar(training, prepared, losses, folder);
  const head = await newRecord(training, prepared, run);
  // Epochs are told anew each time: what they were made of is kept smaller.
  const recorded = (): RunRecord => {
    const all = epochs.all();
    return { ...head, epochs: all, losses: all.at(-1)?.losses ?? null };
  };
  if (run.force && !run.resume) for (const each of [...run.around, folder]) await each.clear();
  await writeRecord(folder.record, recorded(), run.resume).catch((thrown: unknown) => {
    throw isTaken(thrown) ? folder.isTaken() : thrown;
  });
  await folder.removeTemporary();

  const secondsBefore = head.seconds;
  const write = async (change: Partial<RunRecord>) => {
    Object.assign(head, change);
    head.seconds = secondsBefore + (performance.now() - started) / 1000;
    const record = recorded();
    await writeRecord(folder.record, record, true);
    if (record.status === 'running') return;
    const { reportPage } = await trainingPage();
    await writeWhole(folder.report, reportPage({ record, losses }), { overwrite: true });
  };
  let hasEnded = false;
  try {
    for await (const event of learnPrepared(training, prepared, run, saved?.position, losses)) {
      if (event.stage === 'features') head.features.computed = event.done;
      if (event.stage === 'epoch') {
        epochs.add(await sha256OfFile(event.checkpoint));
        await write({});
      }
      yield event;
    }
    await write({
      status: 'complete',
      prompts: { file: 'prompts.safetensors', sha256: await sha256OfFile(folder.prompts) },
    });
    hasEnded = true;
  } catch (thrown) {
    hasEnded = true;
    const error = toCraneError(thrown);
    const status = error.code === 'E_CANCELLED' ? 'interrupted' : 'failed';
    // What is told is why the run ended, not that its record could not be written either.
    await write({ status, error: { code: error.code, message: error.message } }).catch(() => {});
    throw thrown;
  } finally {
    // The consumer left in the middle.
    if (!hasEnded) await write({ status: 'interrupted' }).catch(() => {});
  }
  return { record: recorded(), losses };
}

/** Features, then steps. Nothing is loaded and computed for a run that is complete. */
async function* learnPrepared(
  training: Training,
  prepared: PreparedRun,
  { folder, signal }: SeedRun,
  position: Position | undefined,
  losses: LossHistory,
): AsyncGenerator<RunEvent, void, undefined> {
  const { parts, cache, method, settings } = training;
  const { addon, native, budget } = parts;
  const { epochs, batchSize, saveEvery } = settings;
  const isComplete = losses.steps === epochs * stepsPerEpoch(prepared, training);
  if (!isComplete) {
    await cache.prepare();
    await cache.checkRoom(prepared.missing.length);
    const batch = native.facts.device.startsWith('cuda') ? k_batchOnGpu : 1;
    yield* addCounts(prepared.uncounted, { cache, signal });
    yield* fillCache(prepared.missing, { addon, native, budget, cache, method, batch, signal });
  }
  const learning = await native.beginTraining(
    position ? { state: folder.state, ...classTexts(prepared) } : prepared.start.source,
    method,
    learnerSettings(settings, method, prepared.seed),
  );
  try {
    yield* learn({
      training: learning,
      items: prepared.learning.map((picture) => learnItem(picture, cache.path(picture.content), settings)),
      pictures: prepared.pictures,
      orders: epochOrders(addon, prepared.order, position?.generator),
      epochs,
      batchSize,
      saveEvery,
      folder,
      fingerprint: prepared.fingerprint,
      position,
      losses,
      promptMetadata: promptMetadata(prepared, epochs),
      env: training.env,
      signal,
    });
  } finally {
    await learning.end();
  }
}

/** A saved training brings all but these. */
function classTexts({ start: { source } }: PreparedRun): ClassTexts {
  return source.classes ? { classes: source.classes } : {};
}

/** What `score` and other programs may want to know of a prompt file. */
function promptMetadata(
  { learnedOn, fingerprint, seed, learning, pictures, learnedBefore }: PreparedRun,
  epochs: number,
): Record<string, string> {
  const { model, weights, texts, version, method } = fingerprint;
  const own = learning.slice(0, pictures).map(({ content }) => content.slice(0, k_pictureDigits));
  return {
    // So that a test can tell when it is given one of the pictures again, whatever its data set is called.
    ...originMetadata({ learnedOn, learnedPictures: new Set([...learnedBefore, ...own]) }),
    epochs: String(epochs),
    seed: String(seed),
    model: `${model}@${weights.map((hash) => hash.slice(0, 12)).join('+')}`,
    ...(method.name === undefined ? {} : { method: method.name }),
    ...('normal' in texts ? texts : { classes: JSON.stringify(texts.classes) }),
    writer: `crane-native ${version}`,
  };
}

async function newRecord(
  training: Training,
  prepared: PreparedRun,
  { seed, folder, resume }: SeedRun,
): Promise<RunRecord> {
  const { settings, data, dataPaths, cache } = training;
  const times = resume ? await readTimes(folder.record) : undefined;
  return {
    format: 1,
    status: 'running',
    seed,
    options: { ...recordedSettings(settings), data: dataPaths },
    made: prepared.fingerprint,
    versions: versionsOf(prepared.fingerprint.machine),
    data: {
      sets: prepared.sets,
      learnedOn: prepared.learnedOn,
      pictures: prepared.pictures,
      mosaics: prepared.learning.length - prepared.pictures,
    },
    features: {
      key: cache.key,
      folder: cache.folder,
      computed: 0,
      found: prepared.files - prepared.missing.length,
    },
    epochs: [],
    losses: null,
    prompts: null,
    notes: [...data.notes, ...prepared.notes],
    startedAt: times?.startedAt ?? new Date().toISOString(),
    seconds: times?.seconds ?? 0,
  };
}

/** Prompts to begin with have sizes of their own, whatever a new one's would be. */
function recordedSettings(settings: TrainSettings): TrainSettings {
  if (settings.start === undefined) return settings;
  const { contextRows: _, deepTokens: __, deepBlocks: ___, ...rest } = settings;
  return rest;
}

/** Room for all of the run; those that an earlier process did are in it. */
async function epochsSoFar(
  training: Training,
  prepared: PreparedRun,
  losses: LossHistory,
  { record }: RunFolder,
): Promise<EpochRecords> {
  const { epochs } = training.settings;
  const steps = stepsPerEpoch(prepared, training);
  losses.reserve(epochs * steps);
  const records = new EpochRecords(losses, steps, epochs);
  const done = Math.floor(losses.steps / steps);
  const checksums = done > 0 ? await readChecksums(record) : undefined;
  for (let epoch = 0; epoch < done; epoch++) records.add(checksums?.get(`epoch_${epoch + 1}.pth`));
  return records;
}

function stepsPerEpoch({ pictures }: PreparedRun, { settings }: Training): number {
  return Math.ceil(pictures / settings.batchSize);
}

function checkEpochs(
  training: Training,
  prepared: PreparedRun,
  saved: SavedRun | undefined,
  { state }: RunFolder,
): void {
  const { epochs } = training.settings;
  const steps = saved?.losses.steps ?? 0;
  if (steps <= epochs * stepsPerEpoch(prepared, training)) return;
  const done = Math.ceil(steps / stepsPerEpoch(prepared, training));
  throw new CraneError(
    'E_TRAIN_RESUME',
    `${state}: is in epoch ${done} already, ${epochs} epochs are wanted`,
    {
      hint: `give --epochs ${done} or more, or take epoch_${epochs}.pth`,
    },
  );
}

function isTaken(thrown: unknown): boolean {
  return thrown instanceof CraneError && thrown.code === 'E_EXISTS';
}
