/** A run as its caller holds it: iterate it for progress, or await it for the outcome. */
import { CraneError } from '../errors.js';
import type { TrainProgress } from './progress.js';
import type { TrainOutcome } from './trainer.js';

export class TrainingRun implements AsyncIterable<TrainProgress>, PromiseLike<TrainOutcome> {
  readonly #events: AsyncGenerator<TrainProgress, TrainOutcome, undefined>;
  readonly #onProgress: ((progress: TrainProgress) => void) | undefined;
  readonly #outcome: Promise<TrainOutcome>;
  #settle!: { resolve: (outcome: TrainOutcome) => void; reject: (thrown: unknown) => void };
  #isTaken = false;

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
    let isDone = false;
    try {
      for (;;) {
        const next = await this.#events.next();
        if (next.done) {
          isDone = true;
          this.#settle.resolve(next.value);
          return;
        }
        this.#onProgress?.(next.value);
        yield next.value;
      }
    } catch (thrown) {
      isDone = true;
      this.#settle.reject(thrown);
      throw thrown;
    } finally {
      if (!isDone) {
        await this.#events.return(undefined as never);
        this.#settle.reject(
          new CraneError('E_CANCELLED', 'the run was left before its end; its state is saved'),
        );
      }
    }
  }

  /** Runs to the end. After an iteration: what came of it. */
  // biome-ignore lint/suspicious/noThenProperty: contract.md has `await trainer.run()`
  then<A = TrainOutcome, B = never>(
    onOutcome?: ((outcome: TrainOutcome) => A | PromiseLike<A>) | null,
    onError?: ((thrown: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!this.#isTaken) this.#drain().catch(() => {});
    return this.#outcome.then(onOutcome, onError);
  }

  /** @internal Settles when nothing runs any more; a run that nobody took never began. */
  async ended(): Promise<void> {
    if (!this.#isTaken) {
      await this.#events.return(undefined as never);
      return;
    }
    await this.#outcome.catch(() => {});
  }

  async #drain(): Promise<void> {
    for await (const _ of this) {
      // progress is told by onProgress
    }
  }
}
