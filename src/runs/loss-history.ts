/** The losses of every step: [steps, 4], focal, dice, image, total. */
import type { StepLosses } from '../addon/training.js';

export const lossTerms = ['focal', 'dice', 'image', 'total'] as const satisfies (keyof StepLosses)[];
export type LossTerm = (typeof lossTerms)[number];

/** Room that is taken at once, at most: 32 MiB. */
const k_mostReserved = 2 ** 20;

export class LossHistory {
  #values: Float64Array;
  #steps: number;

  /** @param earlier row-major [steps, 4]; copied */
  constructor(earlier: Float64Array = new Float64Array()) {
    this.#values = earlier.slice();
    this.#steps = earlier.length / lossTerms.length;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Takes the room of a run of so many steps, so that nothing grows while it runs; a very long one grows later. */
  reserve(steps: number): void {
    const values = Math.min(steps, k_mostReserved) * lossTerms.length;
    if (values > this.#values.length) this.#makeRoom(values);
  }

  #makeRoom(values: number): void {
    const grown = new Float64Array(values);
    grown.set(this.#values);
    this.#values = grown;
  }

  push(losses: StepLosses): void {
    const at = this.#steps * lossTerms.length;
    if (at + lossTerms.length > this.#values.length) this.#makeRoom(Math.max(1024, 2 * this.#values.length));
    for (const [term, name] of lossTerms.entries()) this.#values[at + term] = losses[name];
    this.#steps++;
  }

  /** A copy, [steps, 4]. */
  toArray(): Float64Array {
    return this.#values.slice(0, this.#steps * lossTerms.length);
  }

  /** One term of every step. */
  term(name: LossTerm): Float64Array {
    const term = lossTerms.indexOf(name);
    return Float64Array.from(
      { length: this.#steps },
      (_, step) => this.#values[step * lossTerms.length + term]!,
    );
  }

  /** Means over the steps from `from` to before `to`. */
  mean(from: number, to: number): StepLosses {
    const sums = lossTerms.map((_, term) => {
      let sum = 0;
      for (let step = from; step < to; step++) sum += this.#values[step * lossTerms.length + term]!;
      return sum / (to - from);
    });
    return { focal: sums[0]!, dice: sums[1]!, image: sums[2]!, total: sums[3]! };
  }
}
