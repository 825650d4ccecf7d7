/**
 * Runs forward passes, in smaller parts once memory did not suffice for a larger one. A score does not depend on who
 * shares its pass, so smaller parts change nothing but speed; under compat.batchMean, where it does, running out of
 * memory is an error.
 */

import type { CancelFlag, MethodOptions, NativeEngine, ScoreRequest, ScoreResult } from '../addon/native.js';
import { CraneError, toCraneError } from '../errors.js';
import type { EngineWarning } from '../options/types.js';

export class PassSize {
  private limit_ = Number.POSITIVE_INFINITY;
  /** the size that failed and that nobody was told of yet */
  private untold_: number | undefined;

  constructor(
    private readonly engine: NativeEngine,
    private readonly warn: (warning: EngineWarning) => void,
  ) {}

  /** Most pictures of one pass since memory ran out; undefined: it never did. */
  get limit(): number | undefined {
    return Number.isFinite(this.limit_) ? this.limit_ : undefined;
  }

  /** @throws what the engine rejects with; E_MEMORY only where a single picture is too much, or under batchMean */
  async score(requests: ScoreRequest[], method: MethodOptions, flag: CancelFlag): Promise<ScoreResult[]> {
    const results: ScoreResult[] = [];
    while (results.length < requests.length) {
      const most = method.compat.batchMean ? requests.length : this.limit_;
      const part = requests.slice(results.length, results.length + most);
      try {
        results.push(...(await this.engine.score(part, method, flag)));
      } catch (thrown) {
        const error = toCraneError(thrown);
        if (error.code !== 'E_MEMORY' || part.length === 1) throw error;
        if (method.compat.batchMean) throw dependsOnBatch(error, part.length);
        this.shrink(part.length);
        continue;
      }
      this.tell();
    }
    return results;
  }

  /** Two passes that failed side by side at the same size halve it once. */
  private shrink(failed: number): void {
    this.untold_ ??= failed;
    this.limit_ = Math.min(this.limit_, Math.floor(failed / 2));
  }

  /** Once it is known what does suffice. */
  private tell(): void {
    if (this.untold_ === undefined) return;
    const message = `not enough memory for ${this.untold_} pictures in one forward pass: going on with ${this.limit_}; the scores are the same`;
    this.untold_ = undefined;
    this.warn({ code: 'W_SMALLER_BATCH', message });
  }
}

function dependsOnBatch(error: CraneError, batch: number): CraneError {
  return new CraneError('E_MEMORY', `${error.message} (${batch} pictures in one forward pass)`, {
    hint: 'under compat.batchMean scores depend on the batch, so it is not made smaller: choose a smaller batch',
    cause: error,
  });
}
