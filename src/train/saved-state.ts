/**
 * The state of a run, in one safetensors file: parameters and the optimiser's moments by the engine, beside them the
 * losses of every step, the order of the epoch and where in it the run stands. It holds no times: equal runs have
 * equal files.
 */

import type { NativeAddon } from '../addon/native.js';
import type { NativeTraining } from '../addon/training.js';
import { type GeneratorState, SeededGenerator } from '../data/seeded-generator.js';
import { CraneError, toCraneError } from '../errors.js';
import { isThere } from '../files/write-whole.js';
import { canonicalJson } from '../runs/canonical-json.js';
import { differences } from '../runs/differences.js';
import { LossHistory, lossTerms } from '../runs/loss-history.js';
import { type Fingerprint, fingerprintHash } from '../runs/training-fingerprint.js';

const k_losses = 'losses';
const k_order = 'order';
/** under which the engine writes what it is given beside its own tensors */
const k_extra = 'extra.';
const k_noTraining = 'its metadata are not those of a training';

/** Where a run stands after its last step. */
export interface Position {
  /** epoch of that step, from 0 */
  epoch: number;
  /** steps done in that epoch */
  step: number;
  /** order of that epoch's pictures */
  order: Int32Array;
  /** of what draws the orders, after it drew this one */
  generator: string;
}

/** What a position has to fit. */
export interface RunSizes {
  /** of one epoch */
  pictures: number;
  /** pictures and mosaics: what the indices of an order may be */
  items: number;
  stepsPerEpoch: number;
}

export interface SavedRun {
  position: Position;
  losses: LossHistory;
}

export async function saveState(
  training: NativeTraining,
  path: string,
  { position, losses }: SavedRun,
  of: Fingerprint,
): Promise<void> {
  const { epoch, step, order, generator } = position;
  await training.save(
    path,
    { [k_losses]: losses.toArray(), [k_order]: order },
    {
      state: canonicalJson({ epoch, step, generator, seed: of.loop.seed, run: fingerprintHash(of) }),
      settings: canonicalJson(of),
    },
  );
}

/**
 * @returns undefined when nothing was saved yet
 * @throws CraneError E_TRAIN_RESUME when it belongs to another run, naming what differs, or cannot be read
 */
export async function readState(
  addon: NativeAddon,
  path: string,
  of: Fingerprint,
  sizes: RunSizes,
): Promise<SavedRun | undefined> {
  if (!(await isThere(path))) return undefined;
  const { metadata, losses, order } = await readFileOf(addon, path);
  const differing = differences(parse(canonicalJson(of), path), parse(metadata['settings'], path));
  if (differing.length > 0) {
    const rest = differing.length > 4 ? `; and ${differing.length - 4} more` : '';
    throw new CraneError(
      'E_TRAIN_RESUME',
      `${path}: was saved by another run: ${differing.slice(0, 4).join('; ')}${rest}`,
      { hint: 'give the same data and options as before, or start anew with --force or another --out' },
    );
  }
  const state = parse(metadata['state'], path) as Partial<Position> | null;
  const { epoch, step, generator } = state ?? {};
  if (epoch === undefined || step === undefined || typeof generator !== 'string' || !isGenerator(generator))
    throw unreadable(path, k_noTraining);
  const { pictures, items, stepsPerEpoch } = sizes;
  const steps = losses.length / lossTerms.length;
  const isPlace = Number.isSafeInteger(epoch) && epoch >= 0 && step >= 1 && step <= stepsPerEpoch;
  if (!isPlace || steps !== epoch * stepsPerEpoch + step)
    throw unreadable(
      path,
      `epoch ${epoch}, step ${step} and the losses of ${steps} steps do not fit together`,
    );
  if (order.length !== pictures || !order.every((at) => at >= 0 && at < items))
    throw unreadable(path, `its order is not one of ${pictures} pictures`);
  return { position: { epoch, step, order, generator }, losses: new LossHistory(losses) };
}

/** A damaged one would be noticed only when the next epoch begins. */
function isGenerator(text: string): boolean {
  try {
    SeededGenerator.resume(JSON.parse(text) as GeneratorState);
    return true;
  } catch {
    return false;
  }
}

async function readFileOf(addon: NativeAddon, path: string) {
  try {
    const { metadata } = await addon.inspectWeights(path);
    const losses = (await addon.readTensor(path, k_extra + k_losses)).data;
    const order = (await addon.readTensor(path, k_extra + k_order)).data;
    if (losses instanceof Float64Array && order instanceof Int32Array) return { metadata, losses, order };
  } catch (thrown) {
    throw unreadable(path, toCraneError(thrown).message, thrown);
  }
  throw unreadable(path, 'losses and order are of other types');
}

function parse(text: string | undefined, path: string): Record<string, unknown> | Position {
  try {
    return JSON.parse(text ?? '') as Record<string, unknown>;
  } catch (cause) {
    throw unreadable(path, k_noTraining, cause);
  }
}

function unreadable(path: string, why: string, cause?: unknown): CraneError {
  return new CraneError('E_TRAIN_RESUME', `${path}: cannot be gone on from: ${why}`, {
    hint: 'start anew with --force or another --out',
    cause,
  });
}
