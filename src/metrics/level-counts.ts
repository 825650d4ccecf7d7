/**
 * Figures of counts at levels: level 0 is the highest threshold, and calling everything at or above a level anomalous gives
 * its figures (docs/metrics.md). For the report's page; all other figures are the engine's.
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
