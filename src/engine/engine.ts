/** The engine that users hold: pictures in, results out. All heavy work happens on other threads. */

import { types } from 'node:util';
import type { EngineFacts, MethodOptions, NativeAddon, NativeEngine, ScoreResult } from '../addon/native.js';
import { orCancelled, throwIfCancelled } from '../cancellation.js';
import { CraneError } from '../errors.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { ByteBudget, type Ticket } from '../images/byte-budget.js';
import { type PictureInput, toPictureSource } from '../images/picture-input.js';
import type { Calibration } from '../models/calibration.js';
import type { Model } from '../models/model-json.js';
import { ModelLabels } from '../models/model-label.js';
import { checkOptions, wrongValue } from '../options/check.js';
import { defaultOf } from '../options/table.js';
import type {
  EngineOptions,
  EngineWarning,
  MethodChoices,
  PictureChoices,
  ScoreManyOptions,
  ScoreOptions,
  Size,
} from '../options/types.js';
import { BatchQueue } from './batch-queue.js';
import { type PictureSettings, resolveSettings } from './method-choice.js';
import { PassSize } from './pass-size.js';
import type { PictureItem } from './picture-item.js';
import { PictureScorer } from './picture-scorer.js';
import type { PromptSets } from './prompt-sets.js';
import type { PictureScore, ScoreOutcome } from './result.js';
import { scoreMany } from './score-many.js';
import { StoredThresholds } from './stored-thresholds.js';

/** What is known about a loaded engine. */
export interface Facts extends EngineFacts {
  /** name of the model and a hash of all that decides a score with the engine's own settings */
  model: string;
  input: Size;
  /** why `precision` is what it is */
  precisionWhy: string;
  /** names of the model's prompt sets, and the data sets that each was learned on */
  prompts: Record<string, { learnedOn: string[] }>;
}

export interface PreprocessedOptions extends MethodChoices {
  batch: number;
  size: number | Size;
  prompts?: string;
  map?: boolean;
  signal?: AbortSignal;
}

export interface PreprocessedScore {
  score: number;
  map?: AnomalyMap;
  ms: ScoreResult['ms'];
}

/** @internal */
export interface TrainingParts {
  addon: NativeAddon;
  native: NativeEngine;
  model: Model;
  size: Size;
  budget: ByteBudget;
  maxPixels: number;
  /** fires when the engine is disposed */
  disposed: AbortSignal;
}

/** Two passes are in the native engine, and it renders two views ahead of each (native/view_feed.h). */
const k_renderedViews = 4;

export class Engine {
  readonly facts: Facts;
  /** @internal */
  readonly addon: NativeAddon;
  readonly #native: NativeEngine;
  readonly #model: Model;
  readonly #defaults: EngineOptions;
  readonly #size: Size;
  readonly #passes: PassSize;
  readonly #queue: BatchQueue;
  readonly #scorer: PictureScorer;
  readonly #prompts: PromptSets;
  readonly #thresholds: StoredThresholds;
  readonly #budget: ByteBudget;
  /** calls of score() that have no result yet */
  #calls = 0;
  readonly #active = new Set<Promise<unknown>>();
  #disposing: Promise<void> | undefined;
  readonly #end = new AbortController();

  /** @internal Use loadEngine. */
  constructor(parts: {
    addon: NativeAddon;
    native: NativeEngine;
    model: Model;
    options: EngineOptions;
    size: Size;
    prompts: PromptSets;
    promptsIdentity: string;
    precisionWhy: string;
  }) {
    const { addon, native, model, options, size, prompts, promptsIdentity, precisionWhy } = parts;
    this.addon = addon;
    this.#native = native;
    this.#model = model;
    this.#defaults = options;
    this.#size = size;
    this.#passes = new PassSize(native, options.onWarning ?? emitWarning);
    this.#queue = new BatchQueue(this.#passes, addon, {
      maxBatch: options.maxBatch ?? defaultOf('maxBatch'),
      maxWaitMs: options.maxWaitMs ?? defaultOf('maxWaitMs'),
    });
    this.#prompts = prompts;
    this.#budget = new ByteBudget(options.maxDecodedBytes ?? defaultOf('maxDecodedBytes'));
    const labels = new ModelLabels(model, size, native.facts.precision);
    this.#thresholds = new StoredThresholds(model, labels);
    const maxPixels = options.maxPixels ?? defaultOf('maxPixels');
    this.#scorer = new PictureScorer(addon, this.#queue, prompts, labels, this.#thresholds, maxPixels);
    const sets = Object.entries(model.prompts.sets);
    this.facts = Object.freeze({
      ...native.facts,
      input: size,
      precisionWhy,
      prompts: Object.fromEntries(sets.map(([name, { learnedOn }]) => [name, { learnedOn }])),
      model: labels.of(this.settings(), promptsIdentity),
    });
  }

  /**
   * Scores one picture. Calls at the same time share forward passes; scores do not depend on it.
   * @throws CraneError E_USAGE, E_INPUT_*, E_IMAGE_*, E_PROMPTS, E_QUEUE_FULL, E_CANCELLED, E_DISPOSED
   */
  async score(input: PictureInput, options: ScoreOptions = {}): Promise<PictureScore> {
    checkOptions('score', options);
    this.#throwIfDisposed();
    const { signal } = options;
    throwIfCancelled(signal);
    const maxQueue = this.#defaults.maxQueue ?? defaultOf('maxQueue');
    if (this.#calls >= maxQueue) {
      throw new CraneError('E_QUEUE_FULL', `${this.#calls} calls are waiting, the limit is ${maxQueue}`, {
        hint: 'wait for some to finish, use scoreMany, or raise maxQueue',
      });
    }
    this.#calls++;
    const ticket = this.#budget.open();
    const work = this.#track(
      this.#scoreOne(input, options, ticket).finally(() => {
        ticket.close();
        this.#calls--;
      }),
    );
    return orCancelled(work, signal);
  }

  /**
   * Scores many pictures with bounded memory. A picture that fails gives a result with `error`; the iteration goes
   * on. Ends early with E_CANCELLED or E_DISPOSED.
   */
  scoreMany(
    source: Iterable<PictureInput | PictureItem> | AsyncIterable<PictureInput | PictureItem>,
    options: ScoreManyOptions = {},
  ): AsyncIterableIterator<ScoreOutcome> {
    checkOptions('scoreMany', options);
    this.#throwIfDisposed();
    const { batch = 'auto', ordered = defaultOf('ordered'), signal } = options;
    const { batchMean } = this.settings(options).method.compat;
    return scoreMany(source, {
      batch: () => this.passSize(batch, batchMean),
      wholeUnits: batchMean,
      ordered,
      signal,
      openTicket: () => this.#budget.open(),
      prepare: async (input, item, ticket) => {
        this.#throwIfDisposed();
        checkOptions('score', item);
        const source = toPictureSource(input, item.name);
        return this.#track(
          this.#scorer.prepare(source, this.settings({ ...options, ...item }), ticket, signal),
        );
      },
      score: (pictures) => this.#track(this.#scorer.score(pictures, options, false, signal)),
    });
  }

  /**
   * Scores input that is already resized and normalised with the vision tower's constants.
   * @param input [batch, 3, size, size] float32, finite; leave it alone until the promise settles
   */
  async scorePreprocessed(input: Float32Array, options: PreprocessedOptions): Promise<PreprocessedScore[]> {
    checkOptions('scorePreprocessed', options);
    this.#throwIfDisposed();
    const { batch, size, map = false, signal } = options ?? {};
    if (!types.isFloat32Array(input)) throw wrongValue('a Float32Array', 'the input', input);
    if (!Number.isSafeInteger(batch) || batch < 1)
      throw wrongValue('a whole number of at least 1', 'batch', batch);
    const shape = { batch, ...toSize(size) };
    if (input.length !== batch * 3 * shape.height * shape.width) {
      throw new CraneError(
        'E_IMAGE_SHAPE',
        `the input has ${input.length} values, expected ${batch} x 3 x ${shape.height} x ${shape.width}`,
      );
    }
    const { method, prompts } = this.settings(options);
    // A copy: the caller may change or transfer its array while native threads read.
    return this.#track(this.#scoreTensor(input.slice(), shape, { method, prompts, map, signal }));
  }

  async #scoreTensor(
    input: Float32Array,
    shape: { batch: number; height: number; width: number },
    {
      method,
      prompts,
      map,
      signal,
    }: { method: MethodOptions; prompts: string | undefined; map: boolean; signal: AbortSignal | undefined },
  ): Promise<PreprocessedScore[]> {
    const held = await this.#prompts.hold(prompts, method);
    try {
      throwIfCancelled(signal);
      const flag = this.addon.createCancelFlag();
      const onAbort = () => flag.cancel();
      signal?.addEventListener('abort', onAbort, { once: true });
      const work = this.#native.scorePreprocessed(input, shape, held.handle, method, map, flag);
      const results = await orCancelled(work, signal).finally(() =>
        signal?.removeEventListener('abort', onAbort),
      );
      return results.map((result) => ({
        score: result.score,
        ...(result.map ? { map: new AnomalyMap(result.map, this.addon) } : {}),
        ms: result.ms,
      }));
    } finally {
      held.release();
    }
  }

  /** Pictures that share a forward pass when so many are wanted: fewer once memory did not suffice for them. */
  passSize(wanted: 'auto' | number, batchMean = false): number {
    const batch = wanted === 'auto' ? this.#autoBatch() : wanted;
    return batchMean ? batch : Math.min(batch, this.#passes.limit ?? batch);
  }

  /**
   * Upper estimates in bytes of what scoring holds: weights; one picture in the towers; pictures rendered for the passes
   * to come; decoded pictures (those of one forward pass more, if they are larger than the limit). On top come Node,
   * libtorch and what the decoder works with.
   */
  get memoryNeed(): { weights: number; working: number; rendered: number; decoded: number } {
    const { weightBytes, workingBytes, input } = this.facts;
    const view = 3 * input.width * input.height * Float32Array.BYTES_PER_ELEMENT;
    return {
      weights: weightBytes,
      working: workingBytes,
      rendered: k_renderedViews * view,
      decoded: this.#budget.limit,
    };
  }

  /** Bytes of decoded pictures held now. */
  get decodedBytes(): number {
    return this.#budget.used;
  }

  /** The complete settings that a call with these options would use. */
  settings(options: PictureChoices = {}): PictureSettings {
    const how = { size: this.#size, precision: this.#native.facts.precision };
    const settings = resolveSettings(this.#model, how, this.#defaults, options);
    return this.#thresholds.complete(settings, this.#prompts.identityOf(settings.prompts));
  }

  /** @internal As settings(), with the prompts encoded before, so that what was calibrated for them is known. */
  async settledSettings(options: PictureChoices = {}): Promise<PictureSettings> {
    this.#throwIfDisposed();
    const { prompts, method } = this.settings(options);
    const held = await this.#track(this.#prompts.hold(prompts, method));
    held.release();
    return this.settings(options);
  }

  /** How the thresholds of such a call were chosen; undefined: no calibration stands behind them. */
  calibrationOf(options: PictureChoices = {}): Calibration | undefined {
    const settings = this.settings(options);
    const sources = [settings.thresholdFrom, settings.mapThresholdFrom];
    const identity = this.#prompts.identityOf(settings.prompts);
    const isStored = sources.includes('calibration') || sources.includes('model');
    return isStored && identity !== undefined ? this.#thresholds.find(settings, identity) : undefined;
  }

  /** @internal What training takes of the engine. */
  get trainingParts(): TrainingParts {
    this.#throwIfDisposed();
    return {
      addon: this.addon,
      native: this.#native,
      model: this.#model,
      size: this.#size,
      budget: this.#budget,
      maxPixels: this.#defaults.maxPixels ?? defaultOf('maxPixels'),
      disposed: this.#end.signal,
    };
  }

  /** Frees everything. Work already accepted finishes first; calls from now on fail with E_DISPOSED. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#finishAndFree();
    this.#end.abort(new CraneError('E_DISPOSED', 'the engine was disposed'));
    return this.#disposing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #finishAndFree(): Promise<void> {
    while (this.#active.size > 0) await Promise.allSettled(this.#active);
    await this.#queue.close();
    await this.#native.dispose();
  }

  /** dispose() waits for it. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#active.add(work);
    const done = () => this.#active.delete(work);
    work.then(done, done);
    return work;
  }

  async #scoreOne(input: PictureInput, options: ScoreOptions, ticket: Ticket): Promise<PictureScore> {
    const { name, signal } = options;
    const picture = await this.#scorer.prepare(
      toPictureSource(input, name),
      this.settings(options),
      ticket,
      signal,
    );
    try {
      const [result] = await this.#scorer.score([picture], options, true, signal);
      return { ...result!, index: 0 };
    } finally {
      picture.release();
    }
  }

  /** A GPU computes eight pictures while the next eight are sent to it; a CPU works on one. */
  #autoBatch(): number {
    const gpus = this.facts.device.split(',').filter((name) => name.startsWith('cuda'));
    return gpus.length > 0 ? 16 * gpus.length : 1;
  }

  #throwIfDisposed(): void {
    if (this.#disposing) throw new CraneError('E_DISPOSED', 'the engine was disposed');
  }
}

/** Shown once on stderr unless the process listens to its 'warning' event. */
function emitWarning({ code, message }: EngineWarning): void {
  process.emitWarning(message, { type: 'CraneWarning', code });
}

export function toSize(size: number | Size): Size {
  return typeof size === 'number' ? { width: size, height: size } : size;
}
