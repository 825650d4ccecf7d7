/** The two ways to a score, pictures and normalised input, give the bits of the traced one. */
import type { ScoreResult } from '#crane/engine/native.js';
import { compareBits } from '../compare/compare.js';
import { sameBits } from '../compare/tolerances.js';
import type { CaseReport } from '../report/case-report.js';
import type { TracedCase } from './toy-cases.js';

export async function checkScoringPaths(
  { engine, prompts, method, batch, trace }: TracedCase,
  report: CaseReport,
): Promise<void> {
  const fromInput = await engine.scorePreprocessed(batch.input, batch.shape, prompts, method, true);
  const requests = batch.pictures.map(
    (picture) => ({ picture, prompts, fit: 'stretch', tileOverlap: 0, wantMap: true }) as const,
  );
  const fromPictures = await engine.score(requests, method);
  compareResults('scorePreprocessed', fromInput, trace, report);
  compareResults('score', fromPictures, trace, report);
}

function compareResults(
  path: string,
  results: ScoreResult[],
  trace: TracedCase['trace'],
  report: CaseReport,
): void {
  const score = trace['score'];
  const map = trace['map_gauss'];
  if (!score || !map) {
    report.fault('the trace holds no score or no map_gauss');
    return;
  }
  report.compared(
    `${path}: score as traced`,
    sameBits,
    compareBits(
      score.data,
      results.map((result) => result.score),
    ),
  );
  const pixels = map.data.length / Math.max(1, results.length);
  for (const [i, result] of results.entries()) {
    const traced = map.data.subarray(i * pixels, (i + 1) * pixels);
    report.compared(`${path}: map ${i} as traced`, sameBits, compareBits(traced, result.map?.data ?? []));
  }
}
