/** AbortSignal in, coded errors out. */
import { CraneError } from './errors.js';

export function cancelled(signal?: AbortSignal): CraneError {
  return new CraneError('E_CANCELLED', 'the work was given up', { cause: signal?.reason });
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** Settles as `work` does, or rejects with E_CANCELLED as soon as the signal fires; the work itself runs on. */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  if (signal.aborted) {
    work.catch(() => {});
    throw cancelled(signal);
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(cancelled(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
