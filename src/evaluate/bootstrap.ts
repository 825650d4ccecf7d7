/**
 * Percentile bootstrap of the image figures: pictures of a class are drawn with replacement, as many as there are, and
 * the figures are computed anew, exactly. The scores are sorted once; a draw is only a count for each picture. Pixel
 * figures have no intervals: a draw would need the maps of all its pictures again.
 */
import { SeededGenerator } from '../data/seeded-generator.js';
import type { ImageIntervals, Interval } from '../runs/test-run.js';

export interface Labelled {
  score: number;
  isAnomalous: boolean;
}

export interface BootstrapSettings {
  resamples: number;
  seed: number;
  /** share of the draws inside the interval, for instance 0.95 */
  level: number;
}

/** The figures of each draw; NaN where a draw holds one label only. */
export interface Draws {
  auroc: Float64Array;
  ap: Float64Array;
  f1Max: Float64Array;
}

/** @param stream independent numbers for each name, for instance one for each class */
export function drawFigures(
  pictures: readonly Labelled[],
  { resamples, seed }: BootstrapSettings,
  stream: string,
): Draws {
  const sorted = [...pictures].sort((a, b) => b.score - a.score);
  const draws: Draws = {
    auroc: new Float64Array(resamples).fill(Number.NaN),
    ap: new Float64Array(resamples).fill(Number.NaN),
    f1Max: new Float64Array(resamples).fill(Number.NaN),
  };
  const generator = SeededGenerator.of(seed, stream);
  const counts = new Uint32Array(sorted.length);
  for (let draw = 0; draw < resamples; draw++) {
    counts.fill(0);
    for (let at = 0; at < sorted.length; at++) counts[generator.below(sorted.length)]!++;
    const figures = weightedFigures(sorted, counts);
    if (!figures) continue;
    draws.auroc[draw] = figures.auroc;
    draws.ap[draw] = figures.ap;
    draws.f1Max[draw] = figures.f1Max;
  }
  return draws;
}

/**
 * AUROC, AP and F1max as docs/metrics.md defines them, of pictures that count several times.
 * @param sorted highest score first
 * @returns undefined when only one label has a count
 */
export function weightedFigures(
  sorted: readonly Labelled[],
  counts: ArrayLike<number>,
): { auroc: number; ap: number; f1Max: number } | undefined {
  let positives = 0;
  let negatives = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (sorted[at]!.isAnomalous) positives += counts[at]!;
    else negatives += counts[at]!;
  }
  if (positives === 0 || negatives === 0) return undefined;
  let [truePositives, falsePositives, pairs, ap, f1Max] = [0, 0, 0, 0, 0];
  for (let at = 0; at < sorted.length; ) {
    const { score } = sorted[at]!;
    let [up, across] = [0, 0];
    // Equal scores are one threshold.
    for (; at < sorted.length && sorted[at]!.score === score; at++) {
      if (sorted[at]!.isAnomalous) up += counts[at]!;
      else across += counts[at]!;
    }
    if (up + across === 0) continue;
    pairs += across * (truePositives + up / 2);
    truePositives += up;
    falsePositives += across;
    ap += (up / positives) * (truePositives / (truePositives + falsePositives));
    f1Max = Math.max(f1Max, (2 * truePositives) / (truePositives + falsePositives + positives));
  }
  return { auroc: pairs / (positives * negatives), ap, f1Max };
}

export function intervalsOf(draws: Draws, level: number): ImageIntervals {
  return {
    auroc: intervalOf(draws.auroc, level),
    ap: intervalOf(draws.ap, level),
    f1Max: intervalOf(draws.f1Max, level),
  };
}

/** Of the mean over classes: draw i of the mean is the mean of the classes' draws i, where all have one. */
export function meanDraws(ofClasses: readonly Draws[], resamples: number): Draws {
  const mean = (figure: keyof Draws) =>
    Float64Array.from(
      { length: resamples },
      (_, draw) => ofClasses.reduce((sum, draws) => sum + draws[figure][draw]!, 0) / ofClasses.length,
    );
  return { auroc: mean('auroc'), ap: mean('ap'), f1Max: mean('f1Max') };
}

/** Quantiles with linear interpolation between neighbours. */
function intervalOf(values: Float64Array, level: number): Interval | null {
  const defined = values.filter((value) => !Number.isNaN(value)).sort();
  if (defined.length < 2) return null;
  const quantile = (share: number) => {
    const at = share * (defined.length - 1);
    const low = defined[Math.floor(at)]!;
    return low + (at - Math.floor(at)) * (defined[Math.ceil(at)]! - low);
  };
  return {
    low: quantile((1 - level) / 2),
    high: quantile((1 + level) / 2),
    resamples: defined.length,
  };
}
