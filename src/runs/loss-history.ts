/** The losses of every step: [steps, 4], focal, dice, image, total. */
import type { StepLosses } from '../addon/training.js';

export const lossTerms = ['focal', 'dice', 'image', 'total'] as const satisfies (keyof StepLosses)[];
export type LossTerm = (typeof lossTerms)[number];

export class LossHistory {
  private values_: Float64Array;
  private steps_: number;

  /** @param earlier row-major [steps, 4]; copied */
  constructor(earlier: Float64Array = new Float64Array()) {
    this.values_ = earlier.slice();
    this.steps_ = earlier.length / lossTerms.length;
  }

  get steps(): number {
    return this.steps_;
  }

  push(losses: StepLosses): void {
    const at = this.steps_ * lossTerms.length;
    if (at + lossTerms.length > this.values_.length) {
      const grown = new Float64Array(Math.max(1024, 2 * this.values_.length));
      grown.set(this.values_);
      this.values_ = grown;
    }
    for (const [term, name] of lossTerms.entries()) this.values_[at + term] = losses[name];
    this.steps_++;
  }

  /** A copy, [steps, 4]. */
  toArray(): Float64Array {
    return this.values_.slice(0, this.steps_ * lossTerms.length);
  }

  /** One term of every step. */
  term(name: LossTerm): Float64Array {
    const term = lossTerms.indexOf(name);
    return Float64Array.from(
      { length: this.steps_ },
      (_, step) => this.values_[step * lossTerms.length + term]!,
    );
  }

  /** Means over the steps from `from` to before `to`. */
  mean(from: number, to: number): StepLosses {
    const sums = lossTerms.map((_, term) => {
      let sum = 0;
      for (let step = from; step < to; step++) sum += this.values_[step * lossTerms.length + term]!;
      return sum / (to - from);
    });
    return { focal: sums[0]!, dice: sums[1]!, image: sums[2]!, total: sums[3]! };
  }
}
