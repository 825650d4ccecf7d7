/** What a training tells while it runs. */
import type { StepLosses } from '../addon/training.js';

interface OfRun {
  seed: number;
  /** this run among `runs`, from 0 */
  run: number;
  runs: number;
}

interface Rate {
  done: number;
  total: number;
  picturesPerSecond: number;
  /** undefined at the very beginning */
  secondsLeft: number | undefined;
}

export type TrainProgress = OfRun &
  (
    | /** a sentence worth knowing, told once */ { stage: 'note'; text: string }
    | /** pictures are identified, masks are read */ ({ stage: 'reading' } & Rate)
    | /** features that the cache lacks are computed */ ({ stage: 'features' } & Rate)
    | /** one step of the optimiser; done and total count pictures of all epochs */ ({
        stage: 'step';
        epoch: number;
        epochs: number;
        losses: StepLosses;
      } & Rate)
    | /** an epoch is complete and written */ {
        stage: 'epoch';
        epoch: number;
        epochs: number;
        /** means over its steps */
        losses: StepLosses;
        checkpoint: string;
      }
  );

/** What happens within one run; its place among the runs is added by the trainer. */
export type RunEvent = TrainProgress extends infer T
  ? T extends unknown
    ? Omit<T, keyof OfRun>
    : never
  : never;

/** Counts pictures and foretells the end from the pace so far. */
export class Pace {
  readonly #started = performance.now();
  readonly #total: number;
  readonly #before: number;

  /** @param before done earlier, at no cost of this run */
  constructor(total: number, before = 0) {
    this.#total = total;
    this.#before = before;
  }

  at(done: number): Rate {
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = (done - this.#before) / Math.max(seconds, 1e-6);
    return {
      done,
      total: this.#total,
      picturesPerSecond: rate,
      secondsLeft: rate > 0 ? (this.#total - done) / rate : undefined,
    };
  }
}
