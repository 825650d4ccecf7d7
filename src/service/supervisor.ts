/**
 * Keeps the process of the engines running. When it ends, by a native abort for instance, whoever waits for an answer gets
 * E_SERVICE_DOWN, exactly once, and a new process is started: at once the first time, later after growing waits.
 */
import type { PictureCalibration } from '../calibrate/calibrate-pictures.js';
import { CraneError } from '../errors.js';
import type { BankFacts } from '../normals/bank-facts.js';
import type {
  Answer,
  CalibrateOrder,
  FromEngines,
  LearnOrder,
  ModelFacts,
  ScoreOrder,
  ServedModel,
  ToEngines,
  ToldError,
} from './engine-messages.js';
import { type EngineProcess, notStarted } from './engine-process.js';
import { onFrames, sendFrame } from './frames.js';

export interface Scored {
  answer: Answer;
  map?: Uint8Array;
  heatmap?: Uint8Array;
}

/** What happens to the engines, for log and figures. */
export interface SupervisorEvents {
  onStarted?(pid: number | undefined, restarts: number): void;
  onReady?(models: ModelFacts[], ms: number): void;
  onEnded?(how: string, lost: number, waitMs: number): void;
  onNotLoaded?(model: string, error: CraneError): void;
  onWarning?(model: string, message: string): void;
  onPass?(pictures: number, ms: number): void;
}

export interface SupervisorParts {
  models: ServedModel[];
  start: () => EngineProcess;
  events?: SupervisorEvents;
  /** waits before the second, third, ... start in a row; the last one stays */
  backOffMs?: readonly number[];
}

type Answered = Scored | BankFacts | PictureCalibration;

interface Waiting {
  resolve(answer: Answered): void;
  reject(error: CraneError): void;
}

type Question =
  | { kind: 'score'; order: ScoreOrder }
  | { kind: 'learn'; order: LearnOrder }
  | { kind: 'calibrate'; order: CalibrateOrder };

const k_backOffMs = [0, 500, 1000, 2000, 5000, 10_000, 30_000];
/** A process that was ready for so long did not end by what it was started with. */
const k_steadyMs = 60_000;

export class Supervisor {
  readonly #models: ServedModel[];
  readonly #start: () => EngineProcess;
  readonly #events: SupervisorEvents;
  readonly #backOffMs: readonly number[];
  readonly #waiting = new Map<number, Waiting>();
  #process: EngineProcess | undefined;
  #facts: ModelFacts[] | undefined;
  /** the models of the last start, also while the engines are away */
  #lastFacts: ModelFacts[] = [];
  #nextId = 1;
  #failures = 0;
  #restarts = 0;
  #readyAt = 0;
  #retryAfterMs: number | null = null;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartAt = 0;
  #isStopping = false;

  constructor({ models, start, events = {}, backOffMs = k_backOffMs }: SupervisorParts) {
    this.#models = models;
    this.#start = start;
    this.#events = events;
    this.#backOffMs = backOffMs;
  }

  /** Starts the engines for the first time. @throws CraneError of the model that cannot be loaded */
  async start(): Promise<ModelFacts[]> {
    return new Promise<ModelFacts[]>((resolve, reject) => this.#run({ resolve, reject }));
  }

  get isReady(): boolean {
    return this.#facts !== undefined;
  }

  /** What is known of the models, also while the engines are being started again. */
  get models(): readonly ModelFacts[] {
    return this.#lastFacts;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Pictures handed over that have no answer yet. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Estimate of when what was handed over is done, or the engines are back. At least a second: after the answer to a sole picture the
   * engines have nothing left to do, and whoever was told to come again at once would ask hundreds of times while the next one is scored.
   */
  get retryAfterMs(): number {
    return Math.max(1000, this.isReady ? (this.#retryAfterMs ?? 0) : this.#restartAt - Date.now());
  }

  /** @throws CraneError E_SERVICE_DOWN, or what the picture fails with */
  async score(order: ScoreOrder, bytes: Uint8Array, signal: AbortSignal, mask?: Uint8Array): Promise<Scored> {
    const whole = mask ? { ...order, maskBytes: mask.length } : order;
    return (await this.#ask(
      { kind: 'score', order: whole },
      mask ? [bytes, mask] : [bytes],
      signal,
    )) as Scored;
  }

  /** @throws CraneError E_SERVICE_DOWN, or what the bank fails with */
  async learn(order: LearnOrder, files: readonly Uint8Array[], signal: AbortSignal): Promise<BankFacts> {
    return (await this.#ask({ kind: 'learn', order }, files, signal)) as BankFacts;
  }

  /** @throws CraneError E_SERVICE_DOWN, or what the calibration fails with */
  async calibrate(
    order: CalibrateOrder,
    files: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<PictureCalibration> {
    return (await this.#ask({ kind: 'calibrate', order }, files, signal)) as PictureCalibration;
  }

  async #ask(question: Question, parts: readonly Uint8Array[], signal: AbortSignal): Promise<Answered> {
    const running = this.#process;
    if (!running || !this.isReady) throw down('the engine is not ready');
    if (signal.aborted) throw new CraneError('E_CANCELLED', 'the work was given up');
    const id = this.#nextId++;
    const cancel = () => send(running, { kind: 'cancel', id });
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        send(running, { ...question, id }, parts);
      });
    } finally {
      this.#waiting.delete(id);
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Ends the process; what still waits is told E_SERVICE_DOWN. */
  async stop(graceMs = 5000): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    const running = this.#process;
    if (!running) return;
    send(running, { kind: 'close' });
    running.channel.end();
    const timer = setTimeout(() => running.kill(), graceMs);
    await running.ended;
    clearTimeout(timer);
  }

  #run(first?: { resolve(models: ModelFacts[]): void; reject(error: CraneError): void }): void {
    const began = performance.now();
    const running = this.#started();
    this.#process = running;
    this.#events.onStarted?.(running.pid, this.#restarts);
    // Without its channel it can answer nobody.
    running.channel.on('error', () => running.kill());
    running.channel.on('close', () => running.kill());
    let refusal: CraneError | undefined;
    onFrames(running.channel, ({ head, bytes }) => {
      const message = head as FromEngines;
      switch (message.kind) {
        case 'loaded':
          this.#facts = message.models;
          this.#lastFacts = message.models;
          this.#readyAt = performance.now();
          this.#events.onReady?.(message.models, this.#readyAt - began);
          first?.resolve(message.models);
          break;
        case 'not-loaded':
          refusal = toError(message.error);
          this.#events.onNotLoaded?.(message.model, refusal);
          running.kill();
          break;
        case 'scored':
          this.#retryAfterMs = message.retryAfterMs;
          this.#waiting.get(message.id)?.resolve(partsOf(message.answer, bytes));
          break;
        case 'learned':
          this.#waiting.get(message.id)?.resolve(message.facts);
          break;
        case 'calibrated':
          this.#waiting.get(message.id)?.resolve(message.found);
          break;
        case 'refused':
          this.#waiting.get(message.id)?.reject(toError(message.error));
          break;
        case 'pass':
          this.#events.onPass?.(message.pictures, message.ms);
          break;
        case 'warning':
          this.#events.onWarning?.(message.model, message.message);
          break;
      }
    });
    send(running, { kind: 'load', models: this.#models });
    void running.ended.then((how) => {
      if (this.#facts === undefined && first) {
        this.#isStopping = true;
        this.#process = undefined;
        first.reject(refusal ?? endedAtFirst(how));
        return;
      }
      this.#afterEnd(how);
    });
  }

  /** Memory and descriptors may be short for a moment: a start that fails is an end like others. */
  #started(): EngineProcess {
    try {
      return this.#start();
    } catch (thrown) {
      return notStarted(Promise.resolve((thrown as Error).message));
    }
  }

  #afterEnd(how: string): void {
    const wasSteady = this.isReady && performance.now() - this.#readyAt > k_steadyMs;
    this.#failures = wasSteady ? 0 : this.#failures;
    this.#facts = undefined;
    this.#process = undefined;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    const waitMs = this.#backOffMs[Math.min(this.#failures, this.#backOffMs.length - 1)] ?? 0;
    this.#failures++;
    this.#restartAt = Date.now() + waitMs;
    if (!this.#isStopping) this.#events.onEnded?.(how, lost.length, waitMs);
    for (const { reject } of lost) reject(down('the engine ended while it worked on this picture'));
    if (this.#isStopping) return;
    this.#restartTimer = setTimeout(() => {
      this.#restarts++;
      this.#run();
    }, waitMs);
  }
}

function send({ channel }: EngineProcess, message: ToEngines, parts?: readonly Uint8Array[]): void {
  sendFrame(channel, message, parts);
}

function down(message: string): CraneError {
  return new CraneError('E_SERVICE_DOWN', message, { hint: 'it is being started again: try once more' });
}

function endedAtFirst(how: string): CraneError {
  return new CraneError('E_SERVICE_DOWN', `the engine ended while it was loaded: ${how}`, {
    hint: 'SIGKILL and ENOMEM: there may be too little memory; EMFILE: raise the limit of open files (ulimit -n)',
  });
}

function toError({ code, message, hint }: ToldError): CraneError {
  return new CraneError(code, message, { hint });
}

function partsOf(answer: Answer, bytes: Uint8Array): Scored {
  const mapBytes = answer.map?.bytes ?? 0;
  return {
    answer,
    ...(answer.map ? { map: bytes.subarray(0, mapBytes) } : {}),
    ...(answer.heatmap ? { heatmap: bytes.subarray(mapBytes, mapBytes + answer.heatmap.bytes) } : {}),
  };
}
