/**
 * Percentile bootstrap of the image figures: pictures of a class are drawn with replacement, as many as there are, and
 * the figures are computed anew, exactly. The scores are sorted once; a draw is only a count for each picture. Pixel
 * figures have no intervals: a draw would need the maps of all its pictures again.
 */
import { SeededGenerator } from '../data/seeded-generator.js';
import { levelsOf, rankingFigures } from '../metrics/level-counts.js';
import { quantile } from '../metrics/quantile.js';
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
  const { level, levels } = levelsOf(sorted.map(({ score }) => score));
  const generator = SeededGenerator.of(seed, stream);
  const counts = { anomalous: new Uint32Array(levels), normal: new Uint32Array(levels) };
  for (let draw = 0; draw < resamples; draw++) {
    counts.anomalous.fill(0);
    counts.normal.fill(0);
    for (let at = 0; at < sorted.length; at++) {
      const drawn = generator.below(sorted.length);
      counts[sorted[drawn]!.isAnomalous ? 'anomalous' : 'normal'][level[drawn]!]!++;
    }
    const figures = rankingFigures(counts);
    if (!figures) continue;
    draws.auroc[draw] = figures.auroc;
    draws.ap[draw] = figures.ap;
    draws.f1Max[draw] = figures.f1Max;
  }
  return draws;
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

function intervalOf(values: Float64Array, level: number): Interval | null {
  const defined = values.filter((value) => !Number.isNaN(value)).sort();
  if (defined.length < 2) return null;
  return {
    low: quantile(defined, (1 - level) / 2),
    high: quantile(defined, (1 + level) / 2),
    resamples: defined.length,
  };
}
