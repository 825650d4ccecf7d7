/** A finished test in which all pictures of a set have one score. */
import { equalScoresError, ScoreWatch } from '../engine/score-watch.js';
import { isScored, pathIn, type TestRun } from './test-run.js';

/** @throws CraneError E_SCORES_EQUAL for a set of a finished run */
export async function refuseEqualScores({ dataSets }: Pick<TestRun, 'dataSets'>): Promise<void> {
  for (const set of dataSets) {
    const watch = new ScoreWatch();
    for (const picture of set.classes.flatMap(({ pictures }) => pictures)) {
      if (!isScored(picture)) continue;
      watch.add({ score: picture.score, file: pathIn(set, picture.path), notes: picture.warnings ?? [] });
    }
    const found = await watch.look();
    if (found) throw equalScoresError(set.name, found);
  }
}
