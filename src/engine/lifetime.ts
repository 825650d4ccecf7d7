/** How long an engine lives: work beside the scheduler's is waited for before its memory is freed. */
import { CraneError, toCraneError } from '../errors.js';

export class Lifetime {
  readonly #active = new Set<Promise<unknown>>();
  readonly #end = new AbortController();

  /** Fires when the engine is disposed. */
  get disposed(): AbortSignal {
    return this.#end.signal;
  }

  /** @throws CraneError E_DISPOSED */
  throwIfOver(): void {
    if (this.#end.signal.aborted) throw disposedError();
  }

  /** drain() waits for it. What native code throws in it comes out as the library's error. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#active.add(work);
    const done = () => this.#active.delete(work);
    work.then(done, done);
    return work.catch((thrown: unknown) => {
      throw toCraneError(thrown);
    });
  }

  /** Nothing may begin from now on; what runs hears of it by the signal. */
  end(): void {
    this.#end.abort(disposedError());
  }

  async drain(): Promise<void> {
    while (this.#active.size > 0) await Promise.allSettled(this.#active);
  }
}

function disposedError(): CraneError {
  return new CraneError('E_DISPOSED', 'the engine was disposed');
}
