/**
 * The one scheduler of an engine: single calls and the units of streams are jobs here. It has pictures decoded ahead, chooses
 * who shares the next forward pass, and keeps one pass waiting inside the native engine so that it never idles
 * between two. On the JS thread only.
 */

import type { CancelFlag, NativeAddon, NativeEngine } from '../addon/native.js';
import { throwIfCancelled } from '../cancellation.js';
import { CraneError, toCraneError } from '../errors.js';
import type { ByteBudget } from '../images/byte-budget.js';
import type { EngineWarning } from '../options/types.js';
import type { Job, Outcome } from './scheduler-job.js';
import { PassRunner } from './scheduler-pass.js';
import { Task, type TaskEvents } from './scheduler-task.js';
import { choosePass } from './scheduler-turns.js';

export interface SchedulerLimits {
  maxBatch: number;
  maxWaitMs: number;
  maxQueue: number;
  /** forward passes that run at once inside the native engine */
  lanes: number;
}

/** What waits and runs at a moment. */
export interface QueueState {
  /** pictures accepted whose forward pass has not begun */
  depth: number;
  /** pictures in forward passes */
  inFlight: number;
  /** how long the oldest of the waiting ones has waited; 0 where none waits */
  waitingMs: number;
  /** forward passes done since the engine was loaded */
  passes: number;
  /** estimate of when what was accepted so far is done; null before the first pass */
  retryAfterMs: number | null;
}

interface RunningPass {
  tasks: Task[];
  flag: CancelFlag;
}

export class Scheduler {
  readonly #addon: Pick<NativeAddon, 'createCancelFlag'>;
  readonly #budget: ByteBudget;
  readonly #limits: SchedulerLimits;
  readonly #runner: PassRunner;
  /** accepted and not over */
  readonly #tasks = new Set<Task>();
  /** those of them that could be in the next pass */
  readonly #waiting = new Set<Task>();
  readonly #running = new Set<RunningPass>();
  readonly #events: TaskEvents;
  #isTurnOfCalls = true;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #whenIdle: (() => void)[] = [];

  constructor(parts: {
    addon: Pick<NativeAddon, 'createCancelFlag'>;
    engine: Pick<NativeEngine, 'score' | 'scorePreprocessed'>;
    budget: ByteBudget;
    limits: SchedulerLimits;
    warn: (warning: EngineWarning) => void;
  }) {
    this.#addon = parts.addon;
    this.#budget = parts.budget;
    this.#limits = parts.limits;
    this.#runner = new PassRunner(parts.engine, parts.warn);
    this.#events = {
      onReady: (task) => {
        this.#waiting.add(task);
        this.#dispatch();
      },
      onUnwanted: (task) => {
        this.#waiting.delete(task);
        // A pass is cancelled natively once nobody waits for any of it.
        for (const { tasks, flag } of this.#running)
          if (tasks.every(({ isWanted }) => !isWanted)) flag.cancel();
      },
      onOver: (task) => {
        this.#tasks.delete(task);
        if (this.#tasks.size === 0) for (const wake of this.#whenIdle.splice(0)) wake();
      },
    };
  }

  /**
   * An outcome for each picture of the job, in its order.
   * @throws CraneError E_QUEUE_FULL, E_CANCELLED, E_DISPOSED; what a picture fails with is its outcome, E_DEADLINE too
   */
  async submit<Score>(job: Job<Score>): Promise<Outcome<Score>[]> {
    if (this.#isClosed) throw new CraneError('E_DISPOSED', 'the engine was disposed');
    throwIfCancelled(job.signal);
    if (job.isCall) this.#throwIfFull();
    const task = new Task(job, this.#budget, this.#events);
    this.#tasks.add(task);
    task.start();
    return task.answer;
  }

  get state(): QueueState {
    const now = performance.now();
    const running = [...this.#tasks].filter(({ isRunning }) => isRunning);
    const waiting = [...this.#tasks].filter(({ isRunning, isWanted }) => !isRunning && isWanted);
    const depth = picturesOf(waiting);
    const inFlight = picturesOf(running);
    const ms = this.#runner.msPerPicture;
    return {
      depth,
      inFlight,
      waitingMs: waiting.reduce((longest, { arrived }) => Math.max(longest, now - arrived), 0),
      passes: this.#runner.done,
      retryAfterMs: ms === undefined ? null : Math.ceil(ms * (depth + inFlight)),
    };
  }

  /** Most pictures of one pass since memory ran out; undefined: it never did. */
  get passLimit(): number | undefined {
    return this.#runner.limit;
  }

  /** Refuses what comes from now on, lets everything accepted finish. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#dispatch();
    while (this.#tasks.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #throwIfFull(): void {
    const { maxQueue } = this.#limits;
    const calls = [...this.#tasks].filter(({ job }) => job.isCall).length;
    if (calls < maxQueue) return;
    throw new CraneError(
      'E_QUEUE_FULL',
      `${calls} ${calls === 1 ? 'call is' : 'calls are'} under way or waiting, and maxQueue is ${maxQueue}`,
      {
        hint: 'wait for some to finish, use scoreMany, or raise maxQueue',
      },
    );
  }

  #dispatch(): void {
    clearTimeout(this.#timer);
    // Behind each that runs one waits inside the native engine.
    while (this.#running.size < 2 * this.#limits.lanes) {
      const { pass, waitMs } = choosePass([...this.#waiting], {
        now: performance.now(),
        isTurnOfCalls: this.#isTurnOfCalls,
        maxBatch: this.#limits.maxBatch,
        maxWaitMs: this.#isClosed ? 0 : this.#limits.maxWaitMs,
      });
      if (waitMs !== undefined) this.#timer = setTimeout(() => this.#dispatch(), waitMs);
      if (pass.length === 0) return;
      this.#isTurnOfCalls = !pass[0]!.sharesPass;
      for (const task of pass) this.#waiting.delete(task);
      void this.#run(pass);
    }
  }

  async #run(tasks: Task[]): Promise<void> {
    const pictures = tasks.flatMap((task) => task.begin());
    if (pictures.length === 0) return;
    const { method, couplesPictures } = tasks[0]!.job;
    let pass: RunningPass | undefined;
    try {
      pass = { tasks, flag: this.#addon.createCancelFlag() };
      this.#running.add(pass);
      await this.#runner.run({ pictures, method, couplesPictures, flag: pass.flag });
    } catch (thrown) {
      // Of a listener for warnings, or of memory that the flag did not get; nobody waits for this function, so that what left
      // it would end the process: the pictures that have no outcome yet fail with it.
      for (const picture of pictures) picture.fail(toCraneError(thrown));
    }
    if (pass !== undefined) this.#running.delete(pass);
    this.#dispatch();
  }
}

function picturesOf(tasks: readonly Task[]): number {
  return tasks.reduce((sum, { count }) => sum + count, 0);
}
