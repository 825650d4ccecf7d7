/**
 * The product's two ways to a score, pictures and normalised input: the same bits as each other, and the fixture's and
 * the traced numbers within the tolerance. (Tracing computes rows that scoring leaves out because nobody reads them; a
 * matrix product with another number of rows may round the last bit differently.)
 */
import type { ScoreResult } from '#crane/addon/native.js';
import { compareBits, compareNumbers, type Numbers } from '../compare/compare.js';
import { sameBits, toleranceOf } from '../compare/tolerances.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import type { CaseReport } from '../report/case-report.js';
import type { TracedCase } from './traced-case.js';

export async function checkScoringPaths(
  { engine, prompts, method, batch, trace }: TracedCase,
  fixture: SafetensorsFile,
  report: CaseReport,
): Promise<void> {
  const fromInput = await engine.scorePreprocessed(batch.input, batch.shape, prompts, method, true);
  const requests = batch.pictures.map(
    (picture) => ({ picture, context: prompts, fit: 'stretch', tileOverlap: 0, wantMap: true }) as const,
  );
  const fromPictures = await engine.score(requests, method);
  const scores = { shape: [fromInput.length], data: fromInput.map(({ score }) => score) };
  const maps = { shape: [fromInput.length, batch.shape.height, batch.shape.width], data: allMaps(fromInput) };
  compareWithin('score', scores, trace['score'], 'as traced', report);
  compareWithin('map_gauss', maps, trace['map_gauss'], 'as traced', report);
  if (fixture.has('score')) compareWithin('score', scores, fixture.read('score'), 'as the fixture', report);
  if (fixture.has('map_gauss'))
    compareWithin('map_gauss', maps, fixture.read('map_gauss'), 'as the fixture', report);
  report.compared(
    'score of pictures as of their input',
    sameBits,
    compareBits(
      [...scores.data, ...maps.data],
      [...fromPictures.map(({ score }) => score), ...allMaps(fromPictures)],
    ),
  );
}

function compareWithin(
  key: string,
  got: Numbers,
  expected: Numbers | undefined,
  suffix: string,
  report: CaseReport,
): void {
  if (!expected) {
    report.fault(`the trace holds no ${key}`);
    return;
  }
  const tolerance = toleranceOf(key, { size: 'toy', flips: false })!;
  report.compared(`scoring: ${key} ${suffix}`, tolerance.stage, compareNumbers(expected, got, tolerance));
}

function allMaps(results: ScoreResult[]): number[] {
  return results.flatMap(({ map }) => Array.from(map?.data ?? []));
}
