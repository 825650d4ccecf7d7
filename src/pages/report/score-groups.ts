/** Picture scores sorted by what is true, so that counting at a threshold is one look-up; what the page's script works on. */
import { bestLevel, levelsOf } from '../../metrics/level-counts.js';
import { isScored, type TestRun } from '../../runs/test-run.js';

export interface ClassScores {
  set: number;
  className: string;
  /** rising */
  normal: number[];
  anomalous: number[];
}

export interface ScoreGroup {
  label: string;
  /** of the data set that the group belongs to, when it belongs to one */
  set: number | null;
  /** indexes of classes */
  classes: number[];
  /** threshold of the best F1; null without anomalous pictures */
  bestF1: number | null;
}

export interface ScoreGroups {
  low: number;
  high: number;
  classes: ClassScores[];
  /** all pictures, each data set, each class; no group twice */
  groups: ScoreGroup[];
}

export interface GroupCounts {
  truePositives: number;
  falseNegatives: number;
  falsePositives: number;
  trueNegatives: number;
}

/** undefined when no picture has a score */
export function scoreGroups(run: TestRun): ScoreGroups | undefined {
  const classes = run.dataSets.flatMap(({ classes: ofSet }, set) =>
    ofSet.map(({ className, pictures }): ClassScores => {
      const scored = pictures.filter(isScored);
      const sorted = (isAnomalous: boolean) =>
        scored
          .filter((picture) => picture.isAnomalous === isAnomalous && Number.isFinite(picture.score))
          .map(({ score }) => score)
          .sort((a, b) => a - b);
      return { set, className, normal: sorted(false), anomalous: sorted(true) };
    }),
  );
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { normal, anomalous } of classes)
    for (const sorted of [normal, anomalous]) {
      low = Math.min(low, sorted[0] ?? low);
      high = Math.max(high, sorted.at(-1) ?? high);
    }
  if (low > high) return undefined;
  const all = [...classes.keys()];
  const groups: ScoreGroup[] = [];
  const add = (label: string, set: number | null, own: number[]) => {
    const bestF1 = bestF1Threshold(own.map((at) => classes[at]!)) ?? null;
    groups.push({ label, set, classes: own, bestF1 });
  };
  const { dataSets } = run;
  if (dataSets.length > 1) add(`all ${dataSets.length} data sets`, null, all);
  for (const [set, { name, classes: ofSet }] of dataSets.entries()) {
    const own = all.filter((at) => classes[at]!.set === set);
    add(ofSet.length > 1 ? `${name}: all ${ofSet.length} classes` : name, set, own);
    if (own.length > 1) for (const at of own) add(`${name}: ${classes[at]!.className}`, set, [at]);
  }
  return { low, high, classes, groups };
}

export function countsAt(classes: readonly ClassScores[], threshold: number): GroupCounts {
  const counts = { truePositives: 0, falseNegatives: 0, falsePositives: 0, trueNegatives: 0 };
  for (const { normal, anomalous } of classes) {
    const below = numberBelow(normal, threshold);
    const missed = numberBelow(anomalous, threshold);
    counts.trueNegatives += below;
    counts.falsePositives += normal.length - below;
    counts.falseNegatives += missed;
    counts.truePositives += anomalous.length - missed;
  }
  return counts;
}

/** The highest threshold that reaches the best F1 of these pictures; undefined without anomalous ones. */
export function bestF1Threshold(classes: readonly ClassScores[]): number | undefined {
  const pictures = classes
    .flatMap(({ normal, anomalous }) => [
      ...normal.map((score) => ({ score, isAnomalous: false })),
      ...anomalous.map((score) => ({ score, isAnomalous: true })),
    ])
    .sort((a, b) => b.score - a.score);
  const { level, levels } = levelsOf(pictures.map(({ score }) => score));
  const counts = { anomalous: new Uint32Array(levels), normal: new Uint32Array(levels) };
  for (const [at, { isAnomalous }] of pictures.entries())
    counts[isAnomalous ? 'anomalous' : 'normal'][level[at]!]!++;
  const best = bestLevel(counts);
  return best && pictures[level.indexOf(best.level)]!.score;
}

function numberBelow(sorted: readonly number[], threshold: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}
