/** The losses of every step: [steps, 4], focal, dice, image, total. */
import type { StepLosses } from '../addon/training.js';

export const lossTerms = ['focal', 'dice', 'image', 'total'] as const satisfies (keyof StepLosses)[];
export type LossTerm = (typeof lossTerms)[number];

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

  push(losses: StepLosses): void {
    const at = this.#steps * lossTerms.length;
    if (at + lossTerms.length > this.#values.length) {
      const grown = new Float64Array(Math.max(1024, 2 * this.#values.length));
      grown.set(this.#values);
      this.#values = grown;
    }
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
