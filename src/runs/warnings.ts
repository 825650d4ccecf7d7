/** What a reader has to know before the figures. */
import { NoteTally } from '../images/note-tally.js';
import { implausible } from './plausibility.js';
import { isScored, type TestedDataSet, type TestedPrompts } from './test-run.js';

export function warningsOf(dataSets: readonly TestedDataSet[], prompts: TestedPrompts | null): string[] {
  const warnings = dataSets.flatMap((set) => {
    if (set.learnedOn === null) return [];
    const { why, detail } = set.learnedOn;
    const what =
      why === 'name' ? `the prompts were learned on ${detail}` : `the prompts were learned from ${detail}`;
    return [`${set.name}: ${what}. Its figures are no zero-shot results: never report them as such.`];
  });
  if (prompts?.learnedOn === null) {
    warnings.push(
      `${prompts.name}: does not say what its prompts were learned on. If it was a set tested here, its figures are no zero-shot results.`,
    );
  }
  for (const set of dataSets) {
    warnings.push(...implausible(set));
    const pictures = set.classes.flatMap((of) => of.pictures);
    const odd = new NoteTally();
    for (const picture of pictures) if (isScored(picture)) odd.add(picture.path, picture.warnings ?? []);
    warnings.push(...odd.lines().map((line) => `${set.name}: ${line}.`));
    const failed = pictures.filter((picture) => !isScored(picture));
    if (failed.length > 0)
      warnings.push(
        `${set.name}: ${failed.length} of ${pictures.length} pictures could not be scored and are in no figure, for instance ${failed[0]!.path}.`,
      );
  }
  return warnings;
}
