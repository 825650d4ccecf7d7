/** `crane-native test --normals-k-shot`: what banks of a few good pictures are worth. */
import { join } from 'node:path';
import { evaluateKShot } from '../evaluate/evaluate-k-shot.js';
import { KShotState } from '../evaluate/k-shot-state.js';
import { kShotText } from '../evaluate/outputs/k-shot-text.js';
import { resolveTest } from '../evaluate/settings.js';
import { exists, isThere, writeWhole } from '../files/write-whole.js';
import type { AllOptions } from '../options/types.js';
import { visibleJsonText } from '../terminal/visible.js';
import { type Context, paintOf, say } from './context.js';
import { learningOptions, optionsFor } from './flags.js';
import { startProgress } from './progress.js';
import { openForTest, someFailed } from './test-run.js';

export async function runKShot(context: Context, values: AllOptions, data: readonly string[]): Promise<void> {
  const path = join(values.out, 'k-shot.json');
  // Told before an hour of scoring.
  if (!values.force && (await isThere(path))) throw exists(path);
  const state = new KShotState(values.out);
  await state.begin(values);
  const engine = await openForTest(context, values);
  const progress = startProgress(context);
  let shown = '';
  try {
    const run = await evaluateKShot({
      engine,
      data,
      shots: values.normalsKShot,
      seeds: values.seeds,
      seed: values.seed,
      learning: learningOptions(values),
      resolved: resolveTest(optionsFor('evaluateDataSets', values)),
      state,
      signal: context.stop,
      onProgress: ({ done, total, what }) => {
        if (shown === '') progress.stage('scoring', total);
        shown = what;
        progress.at(done, what);
      },
    });
    progress.stop();
    const json = `${JSON.stringify(run, undefined, 2)}\n`;
    await writeWhole(path, json, { overwrite: values.force });
    await state.end();
    context.stdout.write(values.json ? visibleJsonText(json) : kShotText(run, paintOf(context)));
    say(context, `results: ${path}`);
    if (run.failed.length > 0) throw someFailed(run.failed.length);
  } finally {
    progress.stop();
    await engine.dispose();
  }
}
