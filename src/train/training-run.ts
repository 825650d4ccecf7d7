/** A run as its caller holds it: iterate it for progress, or await it for the outcome. */
import { CraneError } from '../errors.js';
import type { TrainOutcome } from './outcome.js';
import type { TrainProgress } from './progress.js';

export class TrainingRun implements AsyncIterable<TrainProgress>, PromiseLike<TrainOutcome> {
  readonly #events: AsyncGenerator<TrainProgress, TrainOutcome, undefined>;
  readonly #onProgress: ((progress: TrainProgress) => void) | undefined;
  readonly #outcome: Promise<TrainOutcome>;
  #settle!: { resolve: (outcome: TrainOutcome) => void; reject: (thrown: unknown) => void };
  #isTaken = false;
  /** its consumer holds an event and has not asked for the next one */
  #isHeld = false;

  /** @internal */
  constructor(
    events: AsyncGenerator<TrainProgress, TrainOutcome, undefined>,
    onProgress: ((progress: TrainProgress) => void) | undefined,
  ) {
    this.#events = events;
    this.#onProgress = onProgress;
    this.#outcome = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever iterates gets the error from the iteration.
    this.#outcome.catch(() => {});
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainProgress, void, undefined> {
    if (this.#isTaken) throw new CraneError('E_USAGE', 'a run is iterated or awaited once');
    this.#isTaken = true;
    let hasEnded = false;
    try {
      for (;;) {
        const next = await this.#events.next();
        if (next.done) {
          // `ended` may have closed the events: then there is no outcome.
          if (next.value === undefined) throw left();
          hasEnded = true;
          this.#settle.resolve(next.value);
          return;
        }
        this.#onProgress?.(next.value);
        this.#isHeld = true;
        yield next.value;
        this.#isHeld = false;
      }
    } catch (thrown) {
      hasEnded = true;
      // Thrown by the events they are closed already; thrown by onProgress they are not.
      await this.#events.return(undefined as never).catch(() => {});
      this.#settle.reject(thrown);
      throw thrown;
    } finally {
      if (!hasEnded) await this.#leave();
    }
  }

  /** The state is saved as the events close. */
  async #leave(): Promise<void> {
    try {
      await this.#events.return(undefined as never);
      this.#settle.reject(left());
    } catch (thrown) {
      this.#settle.reject(thrown);
      throw thrown;
    }
  }

  /** Runs to the end. After an iteration: what came of it. */
  // biome-ignore lint/suspicious/noThenProperty: `await trainer.run()` is what library.md promises
  then<A = TrainOutcome, B = never>(
    onOutcome?: ((outcome: TrainOutcome) => A | PromiseLike<A>) | null,
    onError?: ((thrown: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!this.#isTaken) this.#drain().catch(() => {});
    return this.#outcome.then(onOutcome, onError);
  }

  /**
   * @internal Settles when nothing runs any more; a run that nobody took never begins. Whoever holds an event may be the
   * one who waits here: the events are closed for it.
   */
  async ended(): Promise<void> {
    if (this.#isTaken && !this.#isHeld) {
      await this.#outcome.catch(() => {});
      return;
    }
    this.#isTaken = true;
    await this.#leave();
  }

  async #drain(): Promise<void> {
    for await (const _ of this) {
      // progress is told by onProgress
    }
  }
}

function left(): CraneError {
  return new CraneError('E_CANCELLED', 'the run was left before its end; its state is saved', {
    hint: 'the same command with --resume goes on',
  });
}
