/**
 * Figures of counts at levels: level 0 is the highest threshold, and calling everything at or above a level anomalous gives
 * its figures (docs/metrics.md). For scores that are drawn again and again (bootstrap), or only counted at fixed levels;
 * figures of all scores and pixels are the engine's (createEvaluator).
 */
export interface LevelCounts {
  anomalous: ArrayLike<number>;
  normal: ArrayLike<number>;
}

export interface BestLevel {
  level: number;
  f1: number;
  precision: number;
  recall: number;
}

/**
 * Of equal F1 the highest threshold: fewer false alarms. Levels without a count are no threshold of their own.
 * @returns undefined without an anomalous count
 */
export function bestLevel({ anomalous, normal }: LevelCounts): BestLevel | undefined {
  const positives = sum(anomalous);
  if (positives === 0) return undefined;
  let [found, called] = [0, 0];
  let best: BestLevel = { level: 0, f1: -1, precision: 0, recall: 0 };
  for (let level = 0; level < anomalous.length; level++) {
    if (anomalous[level] === 0 && normal[level] === 0) continue;
    found += anomalous[level]!;
    called += anomalous[level]! + normal[level]!;
    const f1 = (2 * found) / (called + positives);
    if (f1 > best.f1) best = { level, f1, precision: found / called, recall: found / positives };
  }
  return best;
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

/** Level of each score, and how many there are: equal scores are one threshold. @param sorted highest first */
export function levelsOf(sorted: readonly number[]): { level: Uint32Array; levels: number } {
  const level = new Uint32Array(sorted.length);
  let levels = sorted.length === 0 ? 0 : 1;
  for (let at = 1; at < sorted.length; at++) {
    if (sorted[at] !== sorted[at - 1]) levels++;
    level[at] = levels - 1;
  }
  return { level, levels };
}

function sum(counts: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < counts.length; at++) total += counts[at]!;
  return total;
}
