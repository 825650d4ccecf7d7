/** The engine that users hold: pictures in, results out. All heavy work happens on other threads. */
import { isDeepStrictEqual, types } from 'node:util';
import type { EngineFacts, NativeAddon, NativeEngine, Precision } from '../addon/native.js';
import { deepFrozen } from '../deep-frozen.js';
import { CraneError } from '../errors.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { ByteBudget } from '../images/byte-budget.js';
import { type PictureInput, toPictureSource } from '../images/picture-input.js';
import { readingOf } from '../images/reading.js';
import { couplesPictures, dependsOnOrder, mapColours } from '../methods/registry.js';
import type { Calibration } from '../models/calibration.js';
import type { Model } from '../models/model-json.js';
import type { ModelLabels } from '../models/model-label.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { checkOptions, wrongValue } from '../options/check.js';
import { defaultOf } from '../options/table.js';
import type {
  EngineOptions,
  HeatMapOptions,
  MethodChoices,
  PictureChoices,
  ScoreOptions,
  Size,
} from '../options/types.js';
import { areaOf, type LookedAt } from './area-of.js';
import type { BankSets } from './bank-sets.js';
import type { Contexts } from './contexts.js';
import { drawHeatMap } from './draw-heat-map.js';
import { EngineBanks } from './engine-banks.js';
import type { LearnNormalsOptions, NormalsSource } from './learn-normals.js';
import { Lifetime } from './lifetime.js';
import { emitWarning, toSize } from './load-defaults.js';
import { type MemoryNeed, memoryNeedOf } from './memory-need.js';
import { isEncodable, mergeChoices, type PictureSettings, resolveSettings } from './method-choice.js';
import { checkOwnFields, type ScoreCallOptions, type ScoreManyCallOptions } from './picture-item.js';
import { PictureScorer, type UnplacedScore } from './picture-scorer.js';
import type { PictureScore, PreprocessedScore, ScoreOutcome } from './result.js';
import { type QueueState, Scheduler } from './scheduler.js';
import type { Job } from './scheduler-job.js';
import { checkSource, type Source } from './scheduler-source.js';
import { scoreMany } from './scheduler-stream.js';
import { type ScoreMutualOptions, scoreMutual } from './score-mutual.js';
import type { StoredThresholds } from './stored-thresholds.js';

/** What is known about a loaded engine; nothing of it can be changed. */
export interface Facts extends EngineFacts {
  /** name of the model and a hash of all that decides a score with the engine's own settings */
  model: string;
  input: Size;
  /** why `precision` is what it is */
  precisionWhy: string;
  /** names of the model's prompt sets, and the data sets that each was learned on */
  prompts: Record<string, { learnedOn: string[] }>;
}

export interface PreprocessedOptions
  extends MethodChoices,
    Pick<PictureChoices, 'prompts' | 'className' | 'normals' | 'evidence'> {
  batch: number;
  size: number | Size;
  map?: boolean;
  signal?: AbortSignal;
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

export class Engine {
  readonly facts: Facts;
  /** @internal */
  readonly addon: NativeAddon;
  /** @internal */
  readonly banks: EngineBanks;
  readonly #native: NativeEngine;
  readonly #model: Model;
  readonly #defaults: EngineOptions;
  readonly #size: Size;
  readonly #precision: Precision;
  readonly #scheduler: Scheduler;
  readonly #scorer: PictureScorer;
  readonly #contexts: Contexts;
  readonly #labels: ModelLabels;
  readonly #thresholds: StoredThresholds;
  readonly #budget: ByteBudget;
  readonly #lifetime = new Lifetime();
  #disposing: Promise<void> | undefined;
  /** streams with a context of their own */
  #apart = 0;

  /** @internal Use loadEngine. */
  constructor(parts: {
    addon: NativeAddon;
    native: NativeEngine;
    model: Model;
    options: EngineOptions;
    size: Size;
    labels: ModelLabels;
    thresholds: StoredThresholds;
    banks: BankSets;
    contexts: Contexts;
    /** of the context that the engine's own options mean */
    contextIdentity: string;
    precisionWhy: string;
  }) {
    const { addon, native, model, options, size, labels, contextIdentity, precisionWhy } = parts;
    this.addon = addon;
    this.#native = native;
    this.#model = model;
    this.#defaults = options;
    this.#size = size;
    this.#precision = native.facts.precision;
    const warn = options.onWarning ?? emitWarning;
    this.#budget = new ByteBudget(options.maxDecodedBytes ?? defaultOf('maxDecodedBytes'));
    this.#scheduler = new Scheduler({
      addon,
      engine: native,
      budget: this.#budget,
      limits: {
        // Lanes share out passes: one of several pictures would keep a lane busy while the others have nothing to do.
        maxBatch: native.facts.lanes > 1 ? 1 : (options.maxBatch ?? defaultOf('maxBatch')),
        maxWaitMs: options.maxWaitMs ?? defaultOf('maxWaitMs'),
        maxQueue: options.maxQueue ?? defaultOf('maxQueue'),
        lanes: native.facts.lanes,
      },
      warn,
    });
    this.#thresholds = parts.thresholds;
    this.#contexts = parts.contexts;
    this.#labels = labels;
    this.#scorer = new PictureScorer({
      addon,
      contexts: this.#contexts,
      labels,
      maxPixels: this.#maxPixels,
      maxTiles: options.maxTiles ?? defaultOf('maxTiles'),
      input: size,
      warn,
      disposed: this.#lifetime.disposed,
    });
    const reading = readingOf(mergeChoices([options]));
    this.banks = new EngineBanks({
      learning: { ...this.#pictureParts, banks: parts.banks, method: this.#resolved({}).method, reading },
      lifetime: this.#lifetime,
      settings: (choices) => this.#resolved(choices),
      hold: (settings) => this.#contexts.hold(settings),
    });
    const sets = Object.entries(model.prompts.sets);
    this.facts = deepFrozen({
      ...native.facts,
      input: { ...size },
      precisionWhy,
      prompts: Object.fromEntries(sets.map(([name, { learnedOn }]) => [name, { learnedOn: [...learnedOn] }])),
      model: labels.of(this.#resolved({}), contextIdentity),
    });
  }

  /**
   * Scores one picture. Calls at the same time share forward passes; scores do not depend on it.
   * @throws CraneError E_USAGE, E_INPUT_*, E_IMAGE_*, E_PROMPTS, E_QUEUE_FULL, E_DEADLINE, E_CANCELLED, E_DISPOSED
   */
  async score(input: PictureInput, given: ScoreCallOptions = {}): Promise<PictureScore> {
    const options = checkOptions('score', given);
    this.#lifetime.throwIfOver();
    const [outcome] = await this.#scheduler.submit({
      ...this.#jobOf(options),
      isCall: true,
      sharesPass: true,
      signal: options.signal,
      pictures: [
        async (means) => {
          const source = toPictureSource(input, options.name);
          const settings = this.#resolved(options);
          return this.#scorer.prepare(
            source,
            settings,
            { ...options, area: areaOf(options, settings) },
            means,
          );
        },
      ],
    });
    if ('error' in outcome!) throw outcome.error;
    return { ...outcome!.score, index: 0 };
  }

  /**
   * Scores many pictures with bounded memory. A picture that fails gives a result with `error`; the iteration goes
   * on. Ends early with E_CANCELLED or E_DISPOSED. One picture is for `score`: a path alone is E_USAGE.
   */
  scoreMany(source: Source, options: ScoreManyCallOptions = {}): AsyncIterableIterator<ScoreOutcome> {
    return this.#stream(source, options, undefined);
  }

  /**
   * @internal As scoreMany; what a method carries from picture to picture begins anew, and stays with these: neither an
   * earlier call nor another data set with a class of that name decides a score.
   */
  scoreApart(source: Source, options: ScoreManyCallOptions): AsyncIterableIterator<ScoreOutcome> {
    return this.#stream(source, options, ++this.#apart);
  }

  #stream(
    source: Source,
    given: ScoreManyCallOptions,
    apart: number | undefined,
  ): AsyncIterableIterator<ScoreOutcome> {
    checkSource(source);
    const options = checkOptions('scoreMany', given);
    this.#lifetime.throwIfOver();
    const { batch = 'auto', ordered = defaultOf('ordered'), signal } = options;
    const job = this.#jobOf(options);
    const inOrder = dependsOnOrder(this.#resolved(options));
    const carrying = inOrder && apart !== undefined ? { apart } : {};
    return scoreMany(source, {
      scheduler: this.#scheduler,
      batch: () => this.passSize(batch, job.couplesPictures),
      inOrder,
      ordered,
      signal,
      disposed: this.#lifetime.disposed,
      job,
      prepare: async (item, means) => {
        checkOwnFields(item);
        const { input, index: _index, ...fields } = item;
        const own = checkOptions('score', fields);
        const settings = this.#resolved({ ...options, ...own });
        if (!isDeepStrictEqual(settings.method, job.method)) {
          throw new CraneError(
            'E_USAGE',
            'a picture of a source may have a bank of its own where the call has one too',
            {
              hint: "give the call normals, or method: 'normals'",
            },
          );
        }
        const source = toPictureSource(input, item.name);
        const area = areaOf({ ...options, ...own }, settings);
        return this.#scorer.prepare(source, { ...settings, ...carrying }, { ...options, area }, means);
      },
    });
  }

  #jobOf({
    priority = defaultOf('priority'),
    deadlineMs,
    ...choices
  }: ScoreOptions): Pick<Job<UnplacedScore>, 'method' | 'couplesPictures' | 'priority' | 'deadline'> {
    const settings = this.#resolved(choices);
    const deadline = deadlineMs === undefined ? undefined : performance.now() + deadlineMs;
    return { method: settings.method, couplesPictures: couplesPictures(settings), priority, deadline };
  }

  /**
   * Scores input that is already resized and normalised with the vision tower's constants.
   * @param input [batch, 3, size, size] float32, finite; leave it alone until the promise settles. It is copied in pieces, once
   *   the memory limit grants it
   * @throws CraneError E_USAGE, E_IMAGE_SHAPE, E_IMAGE_NONFINITE, E_PROMPTS, E_QUEUE_FULL, E_MEMORY, E_CANCELLED, E_DISPOSED
   */
  async scorePreprocessed(input: Float32Array, given: PreprocessedOptions): Promise<PreprocessedScore[]> {
    const options = checkOptions('scorePreprocessed', given);
    this.#lifetime.throwIfOver();
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
    const [outcome] = await this.#scheduler.submit<PreprocessedScore[]>({
      ...this.#jobOf(options),
      isCall: true,
      sharesPass: false,
      count: batch,
      signal,
      pictures: [
        (means) => this.#scorer.prepareTensor({ input, shape, map }, this.#resolved(options), means),
      ],
    });
    if ('error' in outcome!) throw outcome.error;
    return outcome!.score;
  }

  /**
   * The picture with a map of it laid over, as the bytes of a file. The picture is decoded again, in the memory limit.
   * @param map as `score` gave it for this picture
   * @throws CraneError E_USAGE, E_INPUT_*, E_IMAGE_*, E_CANCELLED, E_DISPOSED
   */
  async heatMap(input: PictureInput, map: AnomalyMap, given: HeatMapOptions = {}): Promise<Buffer> {
    const options = checkOptions('heatMap', given);
    this.#lifetime.throwIfOver();
    if (!(map instanceof AnomalyMap)) throw wrongValue('an AnomalyMap', 'the map', map);
    const settings = this.#resolved(options);
    const { reading, mapThreshold } = settings;
    const range = mapColours(settings);
    const means = {
      addon: this.addon,
      budget: this.#budget,
      reading,
      range,
      mapThreshold,
      maxPixels: this.#maxPixels,
      disposed: this.#lifetime.disposed,
    };
    return this.#lifetime.track(drawHeatMap(toPictureSource(input), map, options, means));
  }

  /**
   * Loads and encodes a prompt set before it is needed, so that the first picture with it waits for nothing and a faulty file
   * is known before it takes another's place.
   * @throws CraneError E_USAGE, E_PROMPTS, E_WEIGHTS_*, E_DISPOSED
   */
  async preparePrompts(options: MethodChoices & Pick<PictureChoices, 'prompts'> = {}): Promise<void> {
    await this.settledSettings(checkOptions('score', options));
  }

  /** Pictures that share a forward pass when so many are wanted: fewer once memory did not suffice for them. */
  passSize(wanted: 'auto' | number, isCoupled = false): number {
    const batch = wanted === 'auto' ? this.#autoBatch() : wanted;
    return isCoupled ? batch : Math.min(batch, this.#scheduler.passLimit ?? batch);
  }

  /** What waits and runs now: for a service that must say how busy it is. */
  get queue(): QueueState {
    return this.#scheduler.state;
  }

  /** What scoring holds, at most. */
  get memoryNeed(): MemoryNeed {
    return memoryNeedOf(this.facts, this.#budget.limit);
  }

  /** Bytes of decoded pictures held now. */
  get decodedBytes(): number {
    return this.#budget.used;
  }

  /**
   * Learns a bank of normal pictures, which `normals` of a call takes in the place of prompts. Each picture goes through the
   * tower once for each of its copies; none is left out but further ones of one content (`onNotes` tells): one that cannot be
   * read ends it. With an engine of method winclip or vand it is that method's memory, which stands beside its texts.
   * @throws CraneError E_USAGE, E_NORMALS without a picture, E_MODEL_CONFIG, E_INPUT_*, E_IMAGE_*, E_CANCELLED, E_DISPOSED
   */
  async learnNormals(source: NormalsSource, options: LearnNormalsOptions = {}): Promise<NormalBank> {
    return this.banks.learn(source, options);
  }

  /** The bank of a file, held until its remove(). @throws CraneError E_NORMALS, E_WEIGHTS_*, E_IO_READ, E_DISPOSED */
  async openNormals(path: string): Promise<NormalBank> {
    return this.banks.open(path);
  }

  /**
   * Scores pictures by each other: each patch of a picture by the nearest ones of all others, of which most have to be good and
   * of one kind of thing. All are read before the first result, each once; those that cannot be read give a result with `error`.
   * @throws CraneError E_NORMALS of fewer than two with different contents, and those of scoreMany and learnNormals
   */
  scoreMutual(source: NormalsSource, options: ScoreMutualOptions = {}): AsyncGenerator<ScoreOutcome> {
    return scoreMutual(this, source, options);
  }

  /**
   * One bank of all their pictures, in their order; they stay. One that has no picture but those of the banks before it is left
   * out (`W_NORMALS_COPIES`). @throws CraneError E_NORMALS for banks of another kind
   */
  async mergeNormals(banks: readonly NormalBank[]): Promise<NormalBank> {
    return this.banks.merge(banks);
  }

  /** The complete settings that a call with these options would use. @throws CraneError E_USAGE, E_METHOD, E_DISPOSED */
  settings(options: PictureChoices = {}): PictureSettings {
    const own = checkOptions('scoreMany', options);
    this.#lifetime.throwIfOver();
    const settings = this.#resolved(own);
    // The model's and the engine's own lists stand in them.
    return {
      ...settings,
      method: structuredClone(settings.method),
      reading: structuredClone(settings.reading),
    };
  }

  /** As settings(), of options that were checked; accepted work asks after the engine was disposed, too. */
  #resolved(options: PictureChoices): PictureSettings {
    const how = { size: this.#size, precision: this.#precision };
    const settings = resolveSettings(this.#model, how, this.#defaults, options);
    return this.#thresholds.complete(settings, this.#contexts.identityOf(settings));
  }

  /** @internal As settings(), with the prompts encoded or the bank read before, so that their thresholds are known. */
  async settledSettings(options: PictureChoices = {}): Promise<PictureSettings> {
    this.#lifetime.throwIfOver();
    const settings = this.#resolved(options);
    if (!isEncodable(settings)) return settings;
    const held = await this.#lifetime.track(this.#contexts.hold(settings));
    held.release();
    return held.settings;
  }

  /** @internal What results of such a call are labelled with. */
  async labelOf(options: PictureChoices = {}, lookedAt?: LookedAt): Promise<string> {
    this.#lifetime.throwIfOver();
    const settings = await this.settledSettings(options);
    return this.#labels.of(settings, this.#contexts.identityOf(settings) ?? '', lookedAt);
  }

  /** How the thresholds of such a call were chosen; undefined: no calibration stands behind them. @throws as settings() */
  calibrationOf(options: PictureChoices = {}): Calibration | undefined {
    const settings = this.settings(options);
    const sources = [settings.thresholdFrom, settings.mapThresholdFrom];
    const identity = this.#contexts.identityOf(settings);
    const isStored = sources.includes('calibration') || sources.includes('model');
    return isStored && identity !== undefined ? this.#thresholds.find(settings, identity) : undefined;
  }

  /** @internal What training takes of the engine. */
  get trainingParts(): TrainingParts {
    this.#lifetime.throwIfOver();
    return { ...this.#pictureParts, size: this.#size };
  }

  /** What takes pictures beside the scheduler. */
  get #pictureParts(): Omit<TrainingParts, 'size'> {
    return {
      addon: this.addon,
      native: this.#native,
      model: this.#model,
      budget: this.#budget,
      maxPixels: this.#maxPixels,
      disposed: this.#lifetime.disposed,
    };
  }

  get #maxPixels(): number {
    return this.#defaults.maxPixels ?? defaultOf('maxPixels');
  }

  /** Frees everything. Accepted work finishes first, but for streams that are not at their end: they fail with E_DISPOSED. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#finishAndFree();
    this.#lifetime.end();
    return this.#disposing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #finishAndFree(): Promise<void> {
    await this.#scheduler.close();
    await this.#lifetime.drain();
    await this.#native.dispose();
  }

  /** A GPU computes eight pictures while the next eight are sent to it; a CPU works on one. */
  #autoBatch(): number {
    const gpus = this.facts.device.split(',').filter((name) => name.startsWith('cuda'));
    return gpus.length > 0 ? 16 * gpus.length : 1;
  }
}
