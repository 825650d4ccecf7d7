/** AbortSignal in, coded errors out. */
import { CraneError } from './errors.js';

/** E_CANCELLED; of a signal that fired because its engine was disposed, E_DISPOSED. */
export function cancelled(signal?: AbortSignal): CraneError {
  const reason: unknown = signal?.reason;
  if (reason instanceof CraneError && reason.code === 'E_DISPOSED') return reason;
  return new CraneError('E_CANCELLED', 'the work was given up', { cause: reason });
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

interface Listeners {
  calls: Set<() => void>;
  ring: () => void;
}

const listening = new WeakMap<AbortSignal, Listeners>();

/**
 * Calls back when the signal fires. However many wait here, the signal has one listener: Node warns of a leak from the
 * eleventh on, and one signal for hundreds of calls is no leak.
 * @returns what takes it back
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const listeners = listening.get(signal) ?? listenTo(signal);
  const call = () => callback();
  listeners.calls.add(call);
  return () => {
    if (listeners.calls.delete(call) && listeners.calls.size === 0) stopListening(signal, listeners);
  };
}

function listenTo(signal: AbortSignal): Listeners {
  const calls = new Set<() => void>();
  const ring = () => {
    for (const call of [...calls]) call();
  };
  const listeners = { calls, ring };
  listening.set(signal, listeners);
  signal.addEventListener('abort', ring, { once: true });
  return listeners;
}

function stopListening(signal: AbortSignal, listeners: Listeners): void {
  signal.removeEventListener('abort', listeners.ring);
  if (listening.get(signal) === listeners) listening.delete(signal);
}

/**
 * A signal that fires as soon as one of these does. Once it is released nothing of it stays with signals that live on; Node 20
 * keeps a reference of every signal that `AbortSignal.any` made of them.
 */
export function linked(signals: readonly (AbortSignal | undefined)[]): {
  signal: AbortSignal;
  release: () => void;
} {
  const any = new AbortController();
  const takeBack = signals.map((signal) => {
    if (signal?.aborted) any.abort(signal.reason);
    return signal && onAbort(signal, () => any.abort(signal.reason));
  });
  return {
    signal: any.signal,
    release: () => {
      for (const each of takeBack) each?.();
    },
  };
}

/** Runs `work` with a signal of these, and settles as it does. */
export async function withAny<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, release } = linked(signals);
  try {
    return await work(signal);
  } finally {
    release();
  }
}

/** Settles as `work` does, or rejects with E_CANCELLED as soon as the signal fires; the work itself runs on. */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  if (signal.aborted) {
    work.catch(() => {});
    throw cancelled(signal);
  }
  return new Promise<T>((resolve, reject) => {
    const stop = onAbort(signal, () => reject(cancelled(signal)));
    work.then(resolve, reject).finally(stop);
  });
}

/**
 * The entries of a caller's source, for as long as the signal lets them come: a source that gives nothing more holds nobody up, and
 * is told that it may close without being waited for.
 * @throws CraneError as cancelled(), and what the source throws
 */
export async function* untilCancelled<T>(
  source: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let state = 'at hand' as 'reading' | 'at hand' | 'at its end';
  const read = async () => {
    state = 'reading';
    try {
      const next = await iterator.next();
      const entry = next.done ? undefined : { value: await next.value };
      state = entry ? 'at hand' : 'at its end';
      return entry;
    } catch (thrown) {
      state = 'at its end';
      throw thrown;
    }
  };
  try {
    while (true) {
      throwIfCancelled(signal);
      const entry = await orCancelled(read(), signal);
      if (!entry) return;
      yield entry.value;
    }
  } finally {
    if (state !== 'at its end') {
      const closing = Promise.resolve(iterator.return?.());
      if (state === 'at hand') await closing;
      else closing.catch(() => {});
    }
  }
}
