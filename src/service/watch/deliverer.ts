/** Brings results to one receiver, one after the other and in their order, again and again until each is confirmed. */
import { setTimeout as wait } from 'node:timers/promises';
import { toCraneError } from '../../errors.js';
import type { KeptResult, WatchJournal } from './journal.js';
import { type Receiver, Refused } from './receivers.js';

export interface DelivererEvents {
  onDelayed(receiver: string, reason: string, waitMs: number): void;
  onRefused(receiver: string, key: string, reason: string): void;
  /** it has the result, and that could not be written down */
  onUnrecorded(receiver: string, key: string, reason: string): void;
}

export const k_firstWaitMs = 500;
export const k_longestWaitMs = 60_000;

export class Deliverer {
  readonly #receiver: Receiver;
  readonly #journal: WatchJournal;
  readonly #events: DelivererEvents;
  readonly #firstWaitMs: number;
  readonly #stop = new AbortController();
  readonly #queue: KeptResult[];
  #work: Promise<void> | undefined;

  constructor(
    receiver: Receiver,
    journal: WatchJournal,
    events: DelivererEvents,
    firstWaitMs = k_firstWaitMs,
  ) {
    this.#receiver = receiver;
    this.#journal = journal;
    this.#events = events;
    this.#firstWaitMs = firstWaitMs;
    // What an earlier run could not bring.
    this.#queue = [...journal.openFor(receiver.name)];
    this.#go();
  }

  get waiting(): number {
    return this.#queue.length;
  }

  add(result: KeptResult): void {
    this.#queue.push(result);
    this.#go();
  }

  /** Waits until everything is confirmed, at most so long; what is not stays in the journal. */
  async end(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), graceMs);
    await this.#work;
    clearTimeout(timer);
    await this.#receiver.close();
  }

  #go(): void {
    this.#work ??= this.#bringAll().finally(() => {
      this.#work = undefined;
      if (this.#queue.length > 0 && !this.#stop.signal.aborted) this.#go();
    });
  }

  async #bringAll(): Promise<void> {
    const { name } = this.#receiver;
    const { signal } = this.#stop;
    let waitMs = this.#firstWaitMs;
    while (this.#queue.length > 0 && !signal.aborted) {
      const result = this.#queue[0]!;
      try {
        await this.#receiver.deliver(await this.#journal.read(result), signal);
      } catch (thrown) {
        if (!(thrown instanceof Refused)) {
          if (signal.aborted) return;
          this.#events.onDelayed(name, toCraneError(thrown).message, waitMs);
          await wait(waitMs, undefined, { signal }).catch(() => {});
          waitMs = Math.min(2 * waitMs, k_longestWaitMs);
          continue;
        }
        this.#events.onRefused(name, result.key, thrown.message);
      }
      waitMs = this.#firstWaitMs;
      this.#queue.shift();
      await this.#journal.addReceipt(result.key, name).catch((thrown: unknown) => {
        this.#events.onUnrecorded(name, result.key, toCraneError(thrown).message);
      });
    }
  }
}
