/**
 * Computes the features that the cache lacks, and adds counts of masks to those it has. The JavaScript thread only hands over: decoding runs on sharp's threads
 * a few pictures ahead of the towers, which run on the engine's.
 */

import type { MethodOptions, NativeAddon, NativeEngine } from '../addon/native.js';
import type { ByteBudget } from '../images/byte-budget.js';
import { NoteTally } from '../images/note-tally.js';
import type { FeatureCache } from './feature-cache.js';
import type { LackingCells, LackingFeatures } from './lacking.js';
import { Pace, type RunEvent } from './progress.js';
import { throwIfStopped } from './stopped.js';

/** One in the towers, one waiting for them, one being decoded. */
const k_unitsAhead = 3;

export interface FillWork {
  addon: NativeAddon;
  native: NativeEngine;
  budget: ByteBudget;
  cache: FeatureCache;
  method: MethodOptions;
  /** pictures that run through the towers together; never changes a feature */
  batch: number;
  signal: AbortSignal | undefined;
}

/** @throws CraneError E_CANCELLED, E_IMAGE_*, E_IO_WRITE; what was written before stays */
export async function* fillCache(
  missing: readonly LackingFeatures[],
  work: FillWork,
): AsyncGenerator<RunEvent, void, undefined> {
  const flag = work.addon.createCancelFlag();
  const onAbort = () => flag.cancel();
  work.signal?.addEventListener('abort', onAbort, { once: true });
  const pace = new Pace(missing.length);
  const odd = new NoteTally();
  let done = 0;
  const throwIfTold = () =>
    throwIfStopped(work.signal, `after the features of ${done} of ${missing.length} pictures; they are kept`);
  const running: Promise<number>[] = [];
  try {
    for (let next = 0; next < missing.length || running.length > 0; ) {
      throwIfTold();
      while (next < missing.length && running.length < k_unitsAhead) {
        const unit = writeUnit(missing.slice(next, next + work.batch), work, odd, flag);
        // It is awaited later: until then its rejection must not count as unhandled.
        unit.catch(() => {});
        running.push(unit);
        next += work.batch;
      }
      done += await running.shift()!;
      yield { stage: 'features', ...pace.at(done) };
    }
    for (const text of odd.lines()) yield { stage: 'note', text };
  } catch (thrown) {
    throwIfTold();
    throw thrown;
  } finally {
    flag.cancel();
    await Promise.allSettled(running);
    work.signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * Puts the counts of masks into files whose features are there. No tower runs.
 * @throws CraneError E_CANCELLED, E_IO_WRITE, E_TRAIN_FEATURES
 */
export async function* addCounts(
  uncounted: readonly LackingCells[],
  { cache, signal }: Pick<FillWork, 'cache' | 'signal'>,
): AsyncGenerator<RunEvent, void, undefined> {
  const before = uncounted.filter(({ isOfBefore }) => isOfBefore).length;
  if (before > 0)
    yield {
      stage: 'note',
      text: `features of ${before} pictures were kept by an earlier version: the anomalous pixels of their masks are added`,
    };
  for (const [at, { content, masks }] of uncounted.entries()) {
    throwIfStopped(signal, `after the masks of ${at} of ${uncounted.length} pictures; they are kept`);
    await cache.addCells(content, masks);
  }
}

async function writeUnit(
  unit: readonly LackingFeatures[],
  { native, budget, cache, method }: FillWork,
  odd: NoteTally,
  flag: ReturnType<NativeAddon['createCancelFlag']>,
): Promise<number> {
  const ticket = budget.open();
  try {
    const decoded = await Promise.all(
      unit.map(async ({ picture, masks }) => {
        const path = cache.path(picture.content);
        // Another process may have been here since the cache was looked through, with other masks perhaps.
        const now = await cache.check(picture.content);
        if (now.state === 'whole') {
          const others = masks.filter(({ name }) => now.masks[name] === undefined);
          if (others.length > 0) await cache.addCells(picture.content, others);
          return undefined;
        }
        const decoded = await picture.decode((bytes) => ticket.take(bytes));
        odd.add(picture.name, decoded.notes ?? []);
        return { picture: decoded, path, masks };
      }),
    );
    const pictures = decoded.filter((entry) => entry !== undefined);
    if (pictures.length > 0) await native.writeFeatures(pictures, cache.settings.precision, method, flag);
    return unit.length;
  } finally {
    ticket.close();
  }
}
