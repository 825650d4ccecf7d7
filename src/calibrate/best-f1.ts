/**
 * The threshold of best F1 from labelled counts, and how sure it is: by a bootstrap that draws pictures of each label with
 * replacement. Scores of pictures and values of pixels are treated alike: both become levels, from the highest, with the
 * number of anomalous and normal ones at each.
 */
import { SeededGenerator } from '../data/seeded-generator.js';
import { bestLevel, f1AtLevel, type LevelCounts } from '../metrics/level-counts.js';
import { quantile } from '../metrics/quantile.js';
import type { BestF1Threshold } from '../models/calibration.js';

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

export interface BootstrapOptions {
  resamples: number;
  seed: number;
  /** independent numbers for each name */
  stream: string;
}

const k_level = 0.95;

/** @returns undefined without an anomalous value */
export function bestF1(
  { thresholds, pictures }: LevelledPictures,
  { resamples, seed, stream }: BootstrapOptions,
): BestF1Threshold | undefined {
  const ones = new Uint32Array(pictures.length).fill(1);
  const chosen = bestLevel(sumLevels(pictures, ones, thresholds.length));
  if (!chosen) return undefined;
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
    interval: {
      low: drawn.length === 0 ? threshold : quantile(drawn, (1 - k_level) / 2),
      high: drawn.length === 0 ? threshold : quantile(drawn, (1 + k_level) / 2),
      level: k_level,
    },
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
