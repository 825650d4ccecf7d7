/**
 * Computes the features that the cache lacks. The JavaScript thread only hands over: decoding runs on sharp's threads
 * a few pictures ahead of the towers, which run on the engine's.
 */

import type { MethodOptions, NativeAddon, NativeEngine } from '../addon/native.js';
import type { ByteBudget } from '../images/byte-budget.js';
import { NoteTally } from '../images/note-tally.js';
import type { FeatureCache } from './feature-cache.js';
import type { LearningPicture } from './learning-pictures.js';
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
  missing: readonly LearningPicture[],
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

async function writeUnit(
  unit: readonly LearningPicture[],
  { native, budget, cache, method }: FillWork,
  odd: NoteTally,
  flag: ReturnType<NativeAddon['createCancelFlag']>,
): Promise<number> {
  const ticket = budget.open();
  try {
    const decoded = await Promise.all(
      unit.map(async (picture) => {
        const path = cache.path(picture.content);
        // Another process may have been here since the cache was looked through.
        if (await cache.has(picture.content)) return undefined;
        const decoded = await picture.decode((bytes) => ticket.take(bytes));
        odd.add(picture.name, decoded.notes ?? []);
        return { picture: decoded, path };
      }),
    );
    const pictures = decoded.filter((entry) => entry !== undefined);
    if (pictures.length > 0) await native.writeFeatures(pictures, cache.settings.precision, method, flag);
    return unit.length;
  } finally {
    ticket.close();
  }
}
