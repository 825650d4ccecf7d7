/** Options of an evaluation, with defaults and checks. */
import type { MetricOptions } from '../addon/metrics.js';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { wrongValue } from '../options/check.js';

export interface EvaluateOptions {
  /** limits of the false-positive rate for AUPRO, each in (0, 1]; default 0.05 and 0.3 */
  limits?: number[] | undefined;
  /** of the image score: confusion, precision and recall of pictures at or above it */
  threshold?: number | undefined;
  /** of the maps: the same for pixels */
  mapThreshold?: number | undefined;
  /** points of each curve, ends included; default 0: no curves */
  curvePoints?: number | undefined;
  /** bins of the score histograms; default 0: none */
  histogramBins?: number | undefined;
  /** default 0: all cores; changes no figure */
  threads?: number | undefined;
}

export const evaluateOptionNames = [
  'limits',
  'threshold',
  'mapThreshold',
  'curvePoints',
  'histogramBins',
  'threads',
] as const satisfies (keyof EvaluateOptions)[];

const mostPoints = 1_000_000;

/** E_USAGE for the first unknown name or wrong value. `others`: fields of the call that are no options. */
export function resolveOptions(given: EvaluateOptions & object, others: readonly string[]): MetricOptions {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw wrongValue('an object', 'the options', given);
  checkNames('option', given, [...evaluateOptionNames, ...others]);
  const { threshold, mapThreshold } = given;
  const limits = limitsOf(given.limits);
  const curvePoints = wholeNumber('curvePoints', given.curvePoints);
  if (curvePoints === 1) throw wrongValue('0, or at least 2 points', 'curvePoints', curvePoints);
  return {
    limits,
    ...(threshold === undefined ? {} : { threshold: number('threshold', threshold) }),
    ...(mapThreshold === undefined ? {} : { mapThreshold: number('mapThreshold', mapThreshold) }),
    curvePoints,
    histogramBins: wholeNumber('histogramBins', given.histogramBins),
    threads: wholeNumber('threads', given.threads),
  };
}

/** E_USAGE for the first unknown name. `what`: how a message calls one of these names */
export function checkNames(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw new CraneError('E_USAGE', `unknown ${what} "${name}"`, {
      hint: near ? `did you mean "${near}"?` : `known are ${known.join(', ')}`,
    });
  }
}

function limitsOf(given: unknown = [0.05, 0.3]): number[] {
  // From here on a hole is undefined, which `every` does not pass over.
  const limits: unknown[] = Array.isArray(given) ? Array.from(given) : [undefined];
  const isLimit = (limit: unknown): limit is number => typeof limit === 'number' && limit > 0 && limit <= 1;
  if (!limits.every(isLimit)) throw wrongValue('a list of numbers in (0, 1]', 'limits', given);
  return limits;
}

function number(name: string, value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrongValue('a number', name, value);
  return value;
}

function wholeNumber(name: string, value: unknown = 0): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > mostPoints) {
    throw wrongValue(`a whole number from 0 to ${mostPoints}`, name, value);
  }
  return value as number;
}
