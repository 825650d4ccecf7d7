/** Which pictures of a class are worth looking at. */
import { type Examples, isScored, k_examples, type ScoredPicture, type TestedPicture } from './test-run.js';

/** Indexes into `pictures`. */
export function chooseExamples(pictures: readonly TestedPicture[]): Examples {
  const scored = [...pictures.entries()].filter((entry): entry is [number, ScoredPicture] =>
    isScored(entry[1]),
  );
  const first = (isAnomalous: boolean, sign: 1 | -1) =>
    scored
      .filter(([, picture]) => picture.isAnomalous === isAnomalous)
      .sort(([a, left], [b, right]) => sign * (left.score - right.score) || a - b)
      .slice(0, k_examples)
      .map(([at]) => at);
  return {
    bestNormal: first(false, 1),
    worstNormal: first(false, -1),
    bestAnomalous: first(true, -1),
    worstAnomalous: first(true, 1),
  };
}

/** All of them, each once. */
export function examplesIn(examples: Examples): Set<number> {
  return new Set(Object.values(examples).flat() as number[]);
}
