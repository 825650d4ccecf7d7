/**
 * One accepted job from its arrival to its end: its pictures get ready, wait, go into a pass, and are concluded. The caller
 * is answered as soon as nothing more can be done for it; what its pictures hold is given back when the engine has
 * let go of them, and what its results hold when they are taken (`handOut`).
 */

import type { ScoreResult } from '../addon/native.js';
import { cancelled, onAbort } from '../cancellation.js';
import { CraneError, toCraneError } from '../errors.js';
import type { ByteBudget, Ticket } from '../images/byte-budget.js';
import {
  endsJob,
  isTensor,
  type Job,
  type Outcome,
  type Prepare,
  type ReadyPicture,
  type ReadyTensor,
  type ViewsOfPicture,
} from './scheduler-job.js';
import type { PassPicture } from './scheduler-pass.js';
import { rankOf, type Waiting } from './scheduler-turns.js';

/** What the scheduler hears of its tasks. */
export interface TaskEvents {
  /** its pictures can go into a pass */
  onReady(task: Task): void;
  /** nobody waits for it any more */
  onUnwanted(task: Task): void;
  /** it holds nothing any more */
  onOver(task: Task): void;
}

/** Longest delay of setTimeout; a longer one would fire at once. */
const k_longestTimerMs = 2 ** 31 - 1;

export class Task<Score = unknown> implements Waiting {
  readonly arrived = performance.now();
  readonly rank: number;
  readonly priority: number;
  readonly sharesPass: boolean;
  readonly couplesPictures: boolean;
  readonly methodKey: string;
  readyAt = Number.POSITIVE_INFINITY;
  /** An outcome for each picture, in order. Rejects with E_CANCELLED and E_DISPOSED only. */
  readonly answer: Promise<Outcome<Score>[]>;
  readonly job: Job<Score>;

  readonly #events: TaskEvents;
  readonly #ticket: Ticket;
  readonly #outcomes: (Outcome<Score> | undefined)[];
  /** bytes of results that are not taken */
  #kept = 0;
  readonly #ready = new Map<number, ReadyPicture<Score> | ReadyTensor<Score>>();
  readonly #end = new AbortController();
  #state: 'preparing' | 'waiting' | 'running' | 'over' = 'preparing';
  #isWanted = true;
  #unsettled: number;
  #answer!: { resolve(outcomes: Outcome<Score>[]): void; reject(error: CraneError): void };
  #stopListening = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(job: Job<Score>, budget: ByteBudget, events: TaskEvents) {
    this.job = job;
    this.#events = events;
    this.priority = job.priority;
    this.rank = rankOf(this.arrived, job.priority);
    this.sharesPass = job.sharesPass;
    this.couplesPictures = job.couplesPictures;
    this.methodKey = JSON.stringify(job.method);
    this.answer = new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
    });
    this.#outcomes = job.pictures.map(() => undefined);
    this.#unsettled = job.pictures.length;
    this.#ticket = budget.open(this.rank, job.handOut?.line);
  }

  /** Apart from the constructor, so that whoever hears of the task knows it. */
  start(): void {
    const { signal, deadline } = this.job;
    if (signal) this.#stopListening = onAbort(signal, () => this.#giveUp(cancelled(signal)));
    if (deadline !== undefined) {
      const left = deadline - performance.now();
      if (left <= 0) {
        this.#state = 'waiting';
        this.#expire();
        return;
      }
      this.#timer = setTimeout(() => this.#expire(), Math.min(left, k_longestTimerMs));
    }
    void this.#prepareAll();
  }

  /** Its pictures, ready or not. */
  get count(): number {
    return this.job.count ?? this.job.pictures.length;
  }

  /** Pictures that a pass of this task has. */
  get size(): number {
    return this.#ready.size;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Its pass begins now; without pictures where its deadline came first. */
  begin(): PassPicture[] {
    const { deadline } = this.job;
    if (deadline !== undefined && deadline <= performance.now()) {
      this.#expire();
      return [];
    }
    clearTimeout(this.#timer);
    this.#state = 'running';
    return [...this.#ready].map(([at, picture]) => this.#inPass(at, picture));
  }

  #inPass(at: number, picture: ReadyPicture<Score> | ReadyTensor<Score>): PassPicture {
    const isWanted = () => this.#isWanted;
    return {
      request: picture.request,
      views: picture.views && this.#toldViews(at, picture.views),
      get isWanted() {
        return isWanted();
      },
      succeed: (results) => void this.#conclude(at, picture, results),
      fail: (error) => this.#settle(at, { error }),
    };
  }

  #toldViews(at: number, { count, tell }: ViewsOfPicture): ViewsOfPicture {
    if (!tell) return { count };
    return {
      count,
      tell: (done) => {
        if (!this.#isWanted || this.#outcomes[at]) return;
        try {
          tell(done);
        } catch (thrown) {
          this.#settle(at, { error: toCraneError(thrown) });
        }
      },
    };
  }

  async #prepareAll(): Promise<void> {
    await Promise.all(this.job.pictures.map((prepare, at) => this.#prepare(prepare, at)));
    if (this.#unsettled === 0) return;
    if (!this.#isWanted) return this.#finish();
    this.#state = 'waiting';
    this.readyAt = performance.now();
    this.#events.onReady(this);
  }

  async #prepare(prepare: Prepare<Score>, at: number): Promise<void> {
    try {
      this.#ready.set(at, await prepare({ ticket: this.#ticket, signal: this.#end.signal }));
    } catch (thrown) {
      this.#settle(at, { error: toCraneError(thrown) });
    }
  }

  async #conclude(
    at: number,
    ready: ReadyPicture<Score> | ReadyTensor<Score>,
    results: ScoreResult[],
  ): Promise<void> {
    try {
      const score = await (isTensor(ready) ? ready.conclude(results) : ready.conclude(results[0]!));
      this.#settle(at, this.#handedOut(score));
    } catch (thrown) {
      this.#settle(at, { error: toCraneError(thrown) });
    }
  }

  #handedOut(score: Score): Outcome<Score> {
    let bytes = this.job.handOut?.bytesOf(score) ?? 0;
    this.#kept += bytes;
    const taken = () => {
      this.#kept -= bytes;
      bytes = 0;
      if (this.#state === 'over') this.#ticket.keep(this.#kept);
    };
    return { score, taken };
  }

  #settle(at: number, outcome: Outcome<Score>): void {
    if (this.#outcomes[at]) return;
    this.#outcomes[at] = outcome;
    this.#unsettled--;
    if ('error' in outcome && endsJob(outcome.error)) this.#giveUp(outcome.error);
    if (this.#unsettled === 0) this.#finish();
  }

  #giveUp(error: CraneError): void {
    if (!this.#isWanted) return;
    this.#answer.reject(error);
    this.#leave();
  }

  /** Its deadline came; nothing happens where the pass came before it. */
  #expire(): void {
    if (!this.#isWanted || this.#state === 'running') return;
    const ms = Math.round(performance.now() - this.arrived);
    const error = new CraneError('E_DEADLINE', `the deadline came after ${ms} ms, before a forward pass`, {
      hint: 'nothing was computed: give more time (deadlineMs) or a higher priority, or send fewer pictures at once',
    });
    this.#answer.resolve(this.#outcomes.map((outcome) => outcome ?? { error }));
    this.#leave();
  }

  /** The caller has its answer; what is being prepared or scored comes to its end first. */
  #leave(): void {
    this.#isWanted = false;
    this.#end.abort();
    this.#events.onUnwanted(this);
    if (this.#state === 'waiting') this.#finish();
  }

  #finish(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#stopListening();
    for (const picture of this.#ready.values()) picture.release();
    // Of a job that was given up nobody takes anything.
    this.#ticket.keep(this.#isWanted ? this.#kept : 0);
    if (this.#isWanted) this.#answer.resolve(this.#outcomes.map((outcome) => outcome!));
    this.#events.onOver(this);
  }
}
