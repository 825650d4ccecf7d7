/**
 * What the engine does where the reference breaks (method.md 10), checked by itself: no NaN leaves it, and a
 * picture's result does not depend on its neighbours.
 */
import { compareBits } from '../compare/compare.js';
import { sameBits } from '../compare/tolerances.js';
import { type CaseSettings, referenceCompat } from '../models/settings.js';
import { singleOf } from '../models/toy-images.js';
import type { CaseReport } from '../report/case-report.js';
import type { TracedCase } from './traced-case.js';

export async function checkDefaults(
  run: TracedCase,
  settings: CaseSettings,
  report: CaseReport,
): Promise<void> {
  const usesSwitch = run.method.compat.emptyRows === 'nan' || run.method.compat.batchMean;
  if (!usesSwitch && settings.images.length < 2) return;
  const { engine, prompts, batch } = run;
  const method = {
    ...run.method,
    compat: {
      ...run.method.compat,
      batchMean: referenceCompat.batchMean,
      emptyRows: referenceCompat.emptyRows,
    },
  };
  const results = await engine.scorePreprocessed(batch.input, batch.shape, prompts, method, true);
  for (const [i, result] of results.entries()) {
    const map = result.map?.data ?? new Float32Array();
    const finite = Number.isFinite(result.score) && map.length > 0 && map.every(Number.isFinite);
    report.holds(`default: picture ${i} is finite`, 'finite results', map.length + 1, finite);
  }
  if (batch.shape.batch < 2) return;
  for (let i = 0; i < batch.shape.batch; i++) {
    const single = singleOf(batch, i);
    const [alone] = await engine.scorePreprocessed(single.input, single.shape, prompts, method, true);
    const together = results[i]!;
    report.compared(
      `default: picture ${i} alone as in the batch`,
      sameBits,
      compareBits(
        [alone!.score, alone!.mapMax, ...(alone!.map?.data ?? [])],
        [together.score, together.mapMax, ...(together.map?.data ?? [])],
      ),
    );
  }
}
