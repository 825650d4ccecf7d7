/**
 * The engine's bootstraps by their definitions, in plain TypeScript: what it gave before they were the engine's. The built
 * engine must give the same bits, and fake addons compute with them.
 */
import type {
  BestThreshold,
  LabelledScores,
  NativeMapLevels,
  Resampling,
} from '../../../src/addon/metrics.js';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { bestLevel, type LevelCounts, levelsOf } from '../../../src/metrics/level-counts.js';
import type { ImageIntervals, Interval } from '../../../src/runs/test-run.js';

export interface Labelled {
  score: number;
  isAnomalous: boolean;
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
  { resamples, seed }: Pick<Resampling, 'resamples' | 'seed'>,
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

/** One picture's share in the counts: how many values it has at which level. */
export interface PictureLevels {
  isAnomalous: boolean;
  /** rising indexes into the levels */
  level: ArrayLike<number>;
  anomalous: ArrayLike<number>;
  normal: ArrayLike<number>;
}

export interface LevelledPictures {
  /** thresholds to choose from, falling; calling everything at or above level i anomalous */
  thresholds: readonly number[];
  pictures: readonly PictureLevels[];
}

/** @returns null without an anomalous value */
export function slowBest(
  { thresholds, pictures }: LevelledPictures,
  { resamples, seed, level: share, stream }: Resampling & { stream: string },
): BestThreshold | null {
  const ones = new Uint32Array(pictures.length).fill(1);
  const chosen = bestLevel(sumLevels(pictures, ones, thresholds.length));
  if (!chosen) return null;
  const generator = SeededGenerator.of(seed, stream);
  const drawn: number[] = [];
  const unseen: number[] = [];
  const groups = [true, false].map((label) =>
    [...pictures.keys()].filter((at) => pictures[at]!.isAnomalous === label),
  );
  for (let draw = 0; draw < resamples; draw++) {
    const counts = new Uint32Array(pictures.length);
    for (const group of groups)
      for (let at = 0; at < group.length; at++) counts[group[generator.below(group.length)]!]!++;
    const best = bestLevel(sumLevels(pictures, counts, thresholds.length));
    if (!best) continue;
    drawn.push(thresholds[best.level]!);
    const left = counts.map((count) => (count === 0 ? 1 : 0));
    const f1 = f1AtLevel(sumLevels(pictures, left, thresholds.length), best.level);
    if (f1 !== undefined) unseen.push(f1);
  }
  drawn.sort((a, b) => a - b);
  const { level, f1, precision, recall } = chosen;
  const threshold = thresholds[level]!;
  return {
    threshold,
    f1,
    precision,
    recall,
    low: drawn.length === 0 ? threshold : quantile(drawn, (1 - share) / 2),
    high: drawn.length === 0 ? threshold : quantile(drawn, (1 + share) / 2),
    f1Unseen: unseen.length === 0 ? null : unseen.reduce((sum, value) => sum + value, 0) / unseen.length,
  };
}

function sumLevels(pictures: readonly PictureLevels[], counts: Uint32Array, levels: number): LevelCounts {
  const sums = { anomalous: new Float64Array(levels), normal: new Float64Array(levels) };
  for (const [at, { level, anomalous, normal }] of pictures.entries()) {
    const times = counts[at]!;
    if (times === 0) continue;
    for (let entry = 0; entry < level.length; entry++) {
      sums.anomalous[level[entry]!]! += times * anomalous[entry]!;
      sums.normal[level[entry]!]! += times * normal[entry]!;
    }
  }
  return sums;
}

/**
 * Scores of pictures as levels. A threshold stands halfway between a score and the next lower one, so that a score that
 * another machine rounds otherwise stays on its side.
 */
export function scoreLevels(pictures: readonly { score: number; isAnomalous: boolean }[]): LevelledPictures {
  const scores = [...new Set(pictures.map(({ score }) => score))].sort((a, b) => b - a);
  const levels = new Map(scores.map((score, index) => [score, index]));
  return {
    thresholds: scores.map((score, index) => halfway(score, scores[index + 1])),
    pictures: pictures.map(({ score, isAnomalous }) => ({
      isAnomalous,
      level: [levels.get(score)!],
      anomalous: [isAnomalous ? 1 : 0],
      normal: [isAnomalous ? 0 : 1],
    })),
  };
}

function halfway(score: number, lower: number | undefined): number {
  if (lower === undefined) return score;
  const middle = lower + (score - lower) / 2;
  // neighbours among the numbers have none between them
  return middle > lower ? middle : score;
}

/**
 * @param mask in the map's size; null: all pixels are normal
 * @returns levels that occur, rising
 */
export function levelsOfMap(
  map: Float32Array,
  mask: Uint8Array | null,
  isAnomalous: boolean,
  levels: number,
): PictureLevels {
  const anomalous = new Uint32Array(levels);
  const normal = new Uint32Array(levels);
  for (let at = 0; at < map.length; at++) {
    const level = levels - 1 - Math.min(levels - 1, Math.max(0, Math.floor(map[at]! * levels)));
    if (mask && mask[at] !== 0) anomalous[level]!++;
    else normal[level]!++;
  }
  const level = Uint16Array.from(normal.keys()).filter((at) => normal[at]! > 0 || anomalous[at]! > 0);
  return {
    isAnomalous,
    level,
    anomalous: Uint32Array.from(level, (at) => anomalous[at]!),
    normal: Uint32Array.from(level, (at) => normal[at]!),
  };
}

/** @returns undefined without an anomalous count */
export function f1AtLevel({ anomalous, normal }: LevelCounts, level: number): number | undefined {
  const positives = sum(anomalous);
  let [found, called] = [0, 0];
  for (let at = 0; at <= level; at++) {
    found += anomalous[at]!;
    called += anomalous[at]! + normal[at]!;
  }
  return positives === 0 ? undefined : (2 * found) / (called + positives);
}

/** @returns undefined when only one label has a count */
export function rankingFigures(
  counts: LevelCounts,
): { auroc: number; ap: number; f1Max: number } | undefined {
  const { anomalous, normal } = counts;
  const [positives, negatives] = [sum(anomalous), sum(normal)];
  if (positives === 0 || negatives === 0) return undefined;
  let [truePositives, falsePositives, pairs, ap] = [0, 0, 0, 0];
  for (let level = 0; level < anomalous.length; level++) {
    const [up, across] = [anomalous[level]!, normal[level]!];
    if (up + across === 0) continue;
    pairs += across * (truePositives + up / 2);
    truePositives += up;
    falsePositives += across;
    ap += (up / positives) * (truePositives / (truePositives + falsePositives));
  }
  return { auroc: pairs / (positives * negatives), ap, f1Max: bestLevel(counts)!.f1 };
}

function sum(counts: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < counts.length; at++) total += counts[at]!;
  return total;
}

/** Between neighbours it is linear. @param sorted rising, not empty; share from 0 to 1 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - low);
}

export const slowBootstraps = {
  async imageIntervals(classes: (LabelledScores & { stream: string })[], options: Resampling) {
    const draws = classes.map((of) => drawFigures(picturesOf(of), options, of.stream));
    return {
      classes: draws.map((of) => intervalsOf(of, options.level)),
      mean: intervalsOf(meanDraws(draws, options.resamples), options.level),
    };
  },
  async bestThreshold(pictures: LabelledScores, options: Resampling & { stream: string }) {
    return slowBest(scoreLevels(picturesOf(pictures)), options);
  },
  createMapLevels(levels: number): NativeMapLevels {
    const pictures: PictureLevels[] = [];
    const thresholds = Array.from({ length: levels }, (_, level) => (levels - 1 - level) / levels);
    return {
      add: async (map, mask, isAnomalous) => void pictures.push(levelsOfMap(map, mask, isAnomalous, levels)),
      bestThreshold: async (options) => slowBest({ thresholds, pictures }, options),
    };
  },
};

function picturesOf({ scores, labels }: LabelledScores): Labelled[] {
  return Array.from(scores, (score, at) => ({ score, isAnomalous: labels[at] !== 0 }));
}
