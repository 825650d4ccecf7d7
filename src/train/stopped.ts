/** How a training ends when it is told to: by its signal, by disposing it, or because its engine was disposed. */
import { CraneError } from '../errors.js';

/**
 * @param done what is safe, to complete "interrupted ..."
 * @throws CraneError E_CANCELLED, or E_DISPOSED when the engine is gone
 */
export function throwIfStopped(signal: AbortSignal | undefined, done: string): void {
  if (!signal?.aborted) return;
  const { reason } = signal;
  const isDisposed = reason instanceof CraneError && reason.code === 'E_DISPOSED';
  const why = isDisposed ? 'the engine was disposed: interrupted' : 'interrupted';
  throw new CraneError(isDisposed ? 'E_DISPOSED' : 'E_CANCELLED', `${why} ${done}`, {
    hint: 'the same command with --resume goes on',
    cause: reason,
  });
}
