/** Takes pictures one by one, in any order of classes, and computes the metrics of each class once. */
import { loadAddon } from '../addon/load-addon.js';
import type { ClassMetrics } from '../addon/metric-results.js';
import type { NativeMetricEvaluator } from '../addon/metrics.js';
import type { NativeAddon } from '../addon/native.js';
import { CraneError, toCraneError } from '../errors.js';
import { wrongValue } from '../options/check.js';
import { type MappedClass, nativeMappedSet } from './mapped-class.js';
import { evaluationOf } from './means.js';
import { type EvaluateOptions, resolveOptions } from './options.js';
import { type EvaluatedPicture, nativePicture } from './picture.js';
import type { Evaluation } from './result.js';

/** Opens an evaluator. Rejects with E_USAGE for wrong options. */
export async function createEvaluator(
  options: EvaluateOptions = {},
  addon?: Pick<NativeAddon, 'createMetricEvaluator'>,
): Promise<Evaluator> {
  const resolved = resolveOptions(options, []);
  const native = addon ?? (await loadAddon()).addon;
  try {
    return new Evaluator(native.createMetricEvaluator(resolved));
  } catch (thrown) {
    throw toCraneError(thrown);
  }
}

interface ClassState {
  /** of which an addition has begun, for their names */
  pictures: number;
  /** additions that have not ended */
  adding: Set<Promise<void>>;
  /** undefined: no picture has entered */
  result?: Promise<ClassMetrics | undefined>;
}

/**
 * Holds two bytes for each normal pixel and eight for each anomalous one of the classes that are not finished, and in long
 * runs no more than a table per class. finishClass() gives a class's memory back.
 */
export class Evaluator {
  readonly #native: NativeMetricEvaluator;
  readonly #classes = new Map<string, ClassState>();
  #isDisposed = false;

  /** @internal */
  constructor(native: NativeMetricEvaluator) {
    this.#native = native;
  }

  /**
   * Adds one picture; its arrays are copied before this returns. The picture enters whole or not at all.
   * Rejects with E_IMAGE_NONFINITE (NaN, naming the picture), E_IMAGE_SHAPE, E_USAGE, E_DISPOSED.
   */
  async add(picture: EvaluatedPicture): Promise<void> {
    if (typeof picture !== 'object' || picture === null) throw wrongValue('a picture', 'picture', picture);
    const { className } = picture;
    const native = nativePicture(picture, this.#classes.get(className)?.pictures ?? 0);
    const state = this.#open(className);
    state.pictures++;
    await this.#track(state, () => this.#native.add(className, native));
  }

  /**
   * Adds maps and masks that lie in files, read through memory mapping. Where it rejects, some of the pictures may have
   * entered, and the class cannot be finished any more. The files must not shrink meanwhile.
   */
  async addMapped(set: MappedClass): Promise<void> {
    const native = nativeMappedSet(set);
    const state = this.#open(set.className);
    state.pictures += set.count;
    await this.#track(state, () => this.#native.addMapped(set.className, native));
  }

  /** Computes one class and frees what it held; it takes no more pictures. Waits for its additions in flight. */
  async finishClass(className: string): Promise<ClassMetrics> {
    if (typeof className !== 'string') throw wrongValue('a string', 'className', className);
    const state = this.#classes.get(className);
    const metrics = state && (await this.#resultOf(className, state));
    if (metrics) return metrics;
    const others = [...this.#classes.keys()].filter((name) => name !== className);
    throw new CraneError('E_USAGE', `class "${className}" has no pictures`, {
      hint: `classes are ${others.join(', ') || 'none yet'}`,
    });
  }

  /** Finishes the classes that are not, computes the means and disposes. A class whose pictures were all refused is none. */
  async finish(): Promise<Evaluation> {
    this.#checkAlive();
    try {
      const classes: ClassMetrics[] = [];
      for (const [className, state] of this.#classes) {
        const metrics = await this.#resultOf(className, state);
        if (metrics) classes.push(metrics);
      }
      return evaluationOf(classes);
    } finally {
      this.dispose();
    }
  }

  /** Frees everything once the work in flight is done; may be called again. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#native.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkAlive(): void {
    if (this.#isDisposed) throw new CraneError('E_DISPOSED', 'the evaluator was disposed');
  }

  #open(className: string): ClassState {
    this.#checkAlive();
    let state = this.#classes.get(className);
    if (!state) {
      state = { pictures: 0, adding: new Set() };
      this.#classes.set(className, state);
    }
    if (state.result) {
      throw new CraneError('E_USAGE', `class "${className}" is finished and takes no more pictures`);
    }
    return state;
  }

  async #track(state: ClassState, add: () => Promise<void>): Promise<void> {
    const adding = (async () => {
      try {
        await add();
      } catch (thrown) {
        throw toCraneError(thrown);
      }
    })();
    state.adding.add(adding);
    try {
      await adding;
    } finally {
      state.adding.delete(adding);
    }
  }

  #resultOf(className: string, state: ClassState): Promise<ClassMetrics | undefined> {
    state.result ??= this.#finish(className, state);
    return state.result;
  }

  async #finish(className: string, state: ClassState): Promise<ClassMetrics | undefined> {
    await Promise.allSettled(state.adding);
    this.#checkAlive();
    try {
      const { remarks, image, pixel } = await this.#native.finishClass(className);
      if (remarks.pictures === 0) return undefined;
      // The engine's are 0 where no pixel entered.
      const range = pixel.normal + pixel.anomalous === 0 ? { lowest: null, highest: null } : {};
      return { className, remarks, image, pixel: { ...pixel, ...range } };
    } catch (thrown) {
      throw toCraneError(thrown);
    }
  }
}
