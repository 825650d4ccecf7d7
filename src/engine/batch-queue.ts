/**
 * Hands pictures to the native engine: calls at the same time share a forward pass, and the native side always
 * has the next pass waiting so that it never idles between two. One queue per engine, on the JS thread only.
 */

import type { CancelFlag, MethodOptions, NativeAddon, ScoreRequest, ScoreResult } from '../addon/native.js';
import { cancelled } from '../cancellation.js';
import { CraneError } from '../errors.js';
import type { PassSize } from './pass-size.js';

export interface QueueLimits {
  maxBatch: number;
  maxWaitMs: number;
}

/** Pictures that one caller wants scored together. */
interface Unit {
  requests: ScoreRequest[];
  method: MethodOptions;
  methodKey: string;
  /** may share a forward pass with other units */
  isMergeable: boolean;
  arrived: number;
  signal: AbortSignal | undefined;
  onAbort?: () => void;
  settle: { resolve(results: ScoreResult[]): void; reject(error: unknown): void };
}

/** One pass runs, one waits behind it inside the native engine. */
const k_passesInFlight = 2;

export class BatchQueue {
  private readonly waiting_: Unit[] = [];
  private inFlight_ = 0;
  private timer_: NodeJS.Timeout | undefined;
  private isClosed_ = false;
  private isTurnOfShared_ = true;
  private idle_: (() => void)[] = [];

  constructor(
    private readonly passes: PassSize,
    private readonly addon: NativeAddon,
    private readonly limits: QueueLimits,
  ) {}

  /** Pictures waiting for a pass. */
  get length(): number {
    return this.waiting_.length;
  }

  /** @throws CraneError E_CANCELLED, E_DISPOSED, and whatever the engine rejects with */
  score(
    requests: ScoreRequest[],
    method: MethodOptions,
    share: boolean,
    signal?: AbortSignal,
  ): Promise<ScoreResult[]> {
    return new Promise((resolve, reject) => {
      if (this.isClosed_) return reject(new CraneError('E_DISPOSED', 'the engine was disposed'));
      if (signal?.aborted) return reject(cancelled(signal));
      const unit: Unit = {
        requests,
        method,
        methodKey: JSON.stringify(method),
        // Under batchMean a score depends on who shares the pass: only the caller decides that.
        isMergeable: share && !method.compat.batchMean,
        arrived: performance.now(),
        signal,
        settle: { resolve, reject },
      };
      this.waiting_.push(unit);
      if (signal) {
        unit.onAbort = () => this.giveUp(unit);
        signal.addEventListener('abort', unit.onAbort, { once: true });
      }
      this.dispatch();
    });
  }

  /** Refuses what comes from now on, lets everything accepted finish. */
  async close(): Promise<void> {
    this.isClosed_ = true;
    this.dispatch();
    while (this.inFlight_ > 0 || this.waiting_.length > 0)
      await new Promise<void>((resolve) => this.idle_.push(resolve));
  }

  private dispatch(): void {
    clearTimeout(this.timer_);
    while (this.inFlight_ < k_passesInFlight) {
      const pass = this.nextPass();
      if (!pass) return;
      for (const unit of pass) this.waiting_.splice(this.waiting_.indexOf(unit), 1);
      this.isTurnOfShared_ = !pass[0]!.isMergeable;
      void this.run(pass);
    }
  }

  /** Single calls and whole units take turns, so that many of one kind do not keep the other waiting. */
  private nextPass(): Unit[] | undefined {
    const whole = this.waiting_.find((unit) => !unit.isMergeable);
    if (whole && !this.isTurnOfShared_) return [whole];
    return this.sharedPass() ?? (whole && [whole]);
  }

  /** The oldest single call and those after it with the same settings that still fit; undefined: it waits for more. */
  private sharedPass(): Unit[] | undefined {
    const first = this.waiting_.find((unit) => unit.isMergeable);
    if (!first) return undefined;
    const pass: Unit[] = [];
    let pictures = 0;
    for (const unit of this.waiting_) {
      if (!unit.isMergeable || unit.methodKey !== first.methodKey) continue;
      if (pass.length > 0 && pictures + unit.requests.length > this.limits.maxBatch) break;
      pass.push(unit);
      pictures += unit.requests.length;
    }
    const patience = first.arrived + this.limits.maxWaitMs - performance.now();
    if (pictures >= this.limits.maxBatch || patience <= 0 || this.isClosed_) return pass;
    this.timer_ = setTimeout(() => this.dispatch(), patience);
    return undefined;
  }

  private async run(pass: Unit[]): Promise<void> {
    this.inFlight_++;
    let stopWatching = () => {};
    try {
      const flag = this.addon.createCancelFlag();
      stopWatching = cancelWhenAllGaveUp(pass, flag);
      const results = await this.passes.score(
        pass.flatMap((unit) => unit.requests),
        pass[0]!.method,
        flag,
      );
      let at = 0;
      for (const unit of pass) {
        this.finish(unit).resolve(results.slice(at, at + unit.requests.length));
        at += unit.requests.length;
      }
    } catch (thrown) {
      await this.afterFailure(pass, thrown);
    } finally {
      stopWatching();
      this.inFlight_--;
      this.dispatch();
      if (this.inFlight_ === 0 && this.waiting_.length === 0)
        for (const resolve of this.idle_.splice(0)) resolve();
    }
  }

  /** One bad picture must not fail the others: a shared pass is repeated unit by unit. */
  private async afterFailure(pass: Unit[], thrown: unknown): Promise<void> {
    if (pass.length === 1) {
      this.finish(pass[0]!).reject(thrown);
      return;
    }
    for (const unit of pass) {
      if (unit.signal?.aborted) {
        this.finish(unit).reject(cancelled(unit.signal));
        continue;
      }
      await this.passes
        .score(unit.requests, unit.method, this.addon.createCancelFlag())
        .then((results) => this.finish(unit).resolve(results))
        .catch((error: unknown) => this.finish(unit).reject(error));
    }
  }

  private giveUp(unit: Unit): void {
    const at = this.waiting_.indexOf(unit);
    if (at >= 0) this.waiting_.splice(at, 1);
    this.finish(unit).reject(cancelled(unit.signal));
    if (this.inFlight_ === 0 && this.waiting_.length === 0)
      for (const resolve of this.idle_.splice(0)) resolve();
  }

  private finish(unit: Unit): Unit['settle'] {
    if (unit.onAbort) unit.signal?.removeEventListener('abort', unit.onAbort);
    return unit.settle;
  }
}

/** A pass is cancelled natively once nobody waits for any of it. */
function cancelWhenAllGaveUp(pass: Unit[], flag: CancelFlag): () => void {
  const check = () => {
    if (pass.every((unit) => unit.signal?.aborted)) flag.cancel();
  };
  for (const unit of pass) unit.signal?.addEventListener('abort', check, { once: true });
  return () => {
    for (const unit of pass) unit.signal?.removeEventListener('abort', check);
  };
}
