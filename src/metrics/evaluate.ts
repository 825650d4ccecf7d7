/** Whole evaluations in one call. */

import type { NativeAddon } from '../addon/native.js';
import { throwIfCancelled, untilCancelled, withAny } from '../cancellation.js';
import { CraneError } from '../errors.js';
import { wrongValue } from '../options/check.js';
import { createEvaluator, type Evaluator } from './evaluator.js';
import type { MappedClass } from './mapped-class.js';
import { type EvaluateOptions, evaluateOptionNames, resolveOptions } from './options.js';
import type { EvaluatedPicture } from './picture.js';
import type { Evaluation } from './result.js';

export interface EvaluateRequest extends EvaluateOptions {
  pictures: Iterable<EvaluatedPicture> | AsyncIterable<EvaluatedPicture>;
  /**
   * The pictures of a class come one after the other: each class is finished and its memory freed before the next. A
   * class that comes back is then an error. Default false: any order.
   */
  groupedByClass?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface EvaluateMappedRequest extends EvaluateOptions {
  /** evaluated in order; entries of one class may follow each other, for instance when map sizes differ */
  classes: Iterable<MappedClass>;
  signal?: AbortSignal | undefined;
}

/** Pictures whose addition has begun and not ended: enough to keep the threads busy, few enough to bound memory. */
const window = 8;

/**
 * Metrics of anybody's maps, masks and scores. Rejects with the first picture's error: NaN (E_IMAGE_NONFINITE), sizes that
 * do not fit (E_IMAGE_SHAPE), wrong types (E_USAGE); with E_CANCELLED when the signal fires.
 */
export async function evaluate(
  request: EvaluateRequest,
  addon?: Pick<NativeAddon, 'createMetricEvaluator'>,
): Promise<Evaluation> {
  const options = optionsOf(request, ['pictures', 'groupedByClass', 'signal']);
  const { pictures, groupedByClass = false, signal } = request;
  if (!isIterable(pictures, Symbol.iterator) && !isIterable(pictures, Symbol.asyncIterator))
    throw wrongValue('a list, or anything else to iterate over', 'pictures', pictures);
  if (typeof groupedByClass !== 'boolean')
    throw wrongValue('true or false', 'groupedByClass', groupedByClass);
  checkSignal(signal);
  return withEvaluator(options, addon, async (evaluator) => {
    const working = new Set<Promise<void>>();
    let failure: { thrown: unknown } | undefined;
    const failed = new AbortController();
    const begin = (work: Promise<unknown>) => {
      const settled: Promise<void> = work
        .then(
          () => {},
          (thrown: unknown) => {
            failure ??= { thrown };
            failed.abort();
          },
        )
        .finally(() => working.delete(settled));
      working.add(settled);
    };
    let current: string | undefined;
    const beginAll = async (stop: AbortSignal) => {
      for await (const picture of untilCancelled(pictures, stop)) {
        throwIfCancelled(stop);
        const className = picture?.className;
        if (groupedByClass && current !== undefined && className !== current) {
          begin(evaluator.finishClass(current));
        }
        current = className;
        begin(evaluator.add(picture));
        if (working.size >= window) await Promise.race(working);
      }
    };
    try {
      // A source may give nothing more: the first failure is not kept waiting for it.
      await withAny([signal, failed.signal], beginAll);
    } catch (thrown) {
      throw failure ? failure.thrown : thrown;
    } finally {
      await Promise.all(working);
    }
    if (failure) throw failure.thrown;
    throwIfCancelled(signal);
  });
}

/** Metrics of maps and masks in memory-mapped files, one class after the other: memory holds one class at a time. */
export async function evaluateMapped(
  request: EvaluateMappedRequest,
  addon?: Pick<NativeAddon, 'createMetricEvaluator'>,
): Promise<Evaluation> {
  const options = optionsOf(request, ['classes', 'signal']);
  const { classes, signal } = request;
  if (!isIterable(classes, Symbol.iterator))
    throw wrongValue('a list, or anything else to iterate over that is not asynchronous', 'classes', classes);
  checkSignal(signal);
  return withEvaluator(options, addon, async (evaluator) => {
    let current: string | undefined;
    for (const set of classes) {
      throwIfCancelled(signal);
      const className = set?.className;
      if (current !== undefined && className !== current) await evaluator.finishClass(current);
      current = className;
      await evaluator.addMapped(set);
    }
    throwIfCancelled(signal);
  });
}

function optionsOf(request: EvaluateOptions & object, others: string[]): EvaluateOptions {
  if (typeof request !== 'object' || request === null) {
    throw new CraneError('E_USAGE', 'expected an object with pictures and options');
  }
  resolveOptions(request, others);
  return Object.fromEntries(evaluateOptionNames.map((name) => [name, request[name]]));
}

/** Texts, which can be iterated over too, hold no pictures. */
function isIterable(value: unknown, way: typeof Symbol.iterator | typeof Symbol.asyncIterator): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, way) === 'function';
}

function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrongValue('an AbortSignal', 'signal', signal);
}

async function withEvaluator(
  options: EvaluateOptions,
  addon: Pick<NativeAddon, 'createMetricEvaluator'> | undefined,
  fill: (evaluator: Evaluator) => Promise<void>,
): Promise<Evaluation> {
  const evaluator = await createEvaluator(options, addon);
  try {
    await fill(evaluator);
    return await evaluator.finish();
  } finally {
    evaluator.dispose();
  }
}
