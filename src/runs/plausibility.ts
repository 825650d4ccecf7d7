/** Figures that hardly anybody's pictures give, each with its reason: what is wrong shows here before it costs a day. */
import { isScored, type TestedClass, type TestedDataSet } from './test-run.js';

/** Of a set: scores that are all one, and classes whose image AUROC is exactly 0, or 50 for a reason. */
export function implausible({ name, classes }: Pick<TestedDataSet, 'name' | 'classes'>): string[] {
  const scores = classes.flatMap(scoresOf);
  const warnings: string[] = [];
  if (scores.length > 1 && new Set(scores).size === 1) {
    return [
      `${name}: all ${scores.length} pictures have the same score (${scores[0]}): no figure tells anything. Look whether the pictures are read as they are meant: npx crane-native data check.`,
    ];
  }
  for (const of of classes) {
    const { auroc } = of.metrics.image;
    const own = scoresOf(of);
    if (auroc.value === 0)
      warnings.push(
        `${name}: image AUROC of ${of.className} is exactly 0: every anomalous picture scores below every normal one. Are the labels exchanged (--normal-folder)?`,
      );
    if (auroc.value === 0.5 && own.length > 1 && new Set(own).size === 1)
      warnings.push(
        `${name}: image AUROC of ${of.className} is exactly 50: all ${own.length} pictures have the same score (${own[0]}).`,
      );
  }
  return warnings;
}

/** Of a set, in one sentence: classes that are told apart without a single mistake, which few pictures make easy. */
export function perfect({ classes }: Pick<TestedDataSet, 'classes'>): string[] {
  const found = classes.filter(({ metrics }) => metrics.image.auroc.value === 1);
  if (found.length === 0) return [];
  const [{ className, metrics }] = found as [TestedClass, ...TestedClass[]];
  const { normal, anomalous } = metrics.image;
  const more = found.length === 1 ? '' : `, and so it is in ${found.length - 1} more`;
  return [
    `image AUROC of ${className} is exactly 100: each of ${anomalous} anomalous pictures scores above each of ${normal} normal ones${more}`,
  ];
}

function scoresOf({ pictures }: TestedClass): number[] {
  return pictures.filter(isScored).map(({ score }) => score);
}
