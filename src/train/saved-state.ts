/**
 * The state of a run, in one safetensors file: parameters and the optimiser's moments by the engine, beside them the
 * losses of every step, the order of the epoch and where in it the run stands. It holds no times: equal runs have
 * equal files.
 */
import type { NativeAddon, NativeTraining } from '../engine/native.js';
import { CraneError, toCraneError } from '../errors.js';
import { isThere } from '../output/write-whole.js';
import { canonicalJson } from './canonical-json.js';
import { differences, type Fingerprint, fingerprintHash } from './fingerprint.js';
import { LossHistory, lossTerms } from './loss-history.js';

const k_losses = 'losses';
const k_order = 'order';
/** under which the engine writes what it is given beside its own tensors */
const k_extra = 'extra.';

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
  const { epoch, step, generator } = parse(metadata['state'], path) as Position;
  if (
    ![epoch, step].every(Number.isSafeInteger) ||
    typeof generator !== 'string' ||
    losses.length % lossTerms.length
  )
    throw unreadable(path, 'its metadata are not those of a training');
  return { position: { epoch, step, order, generator }, losses: new LossHistory(losses) };
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
    throw unreadable(path, 'its metadata are not those of a training', cause);
  }
}

function unreadable(path: string, why: string, cause?: unknown): CraneError {
  return new CraneError('E_TRAIN_RESUME', `${path}: cannot be gone on from: ${why}`, {
    hint: 'start anew with --force or another --out',
    cause,
  });
}
