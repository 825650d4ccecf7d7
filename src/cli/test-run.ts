/** What a test and a grid of tests have in common: the engine, the options, progress, the end. */

import { CraneError } from '../errors.js';
import type { TestProgress } from '../evaluate/evaluate-data-sets.js';
import type { AllOptions } from '../options/types.js';
import { visible } from '../terminal/visible.js';
import { type Context, say, warningsTo } from './context.js';
import { engineOptions } from './flags.js';
import { sayMemoryNeed } from './memory-need.js';
import type { Progress } from './progress.js';

/** The engine with the preset's settings and the prompts of a training's folder. */
export async function openForTest(context: Context, values: AllOptions) {
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { promptPath } = await import('../runs/prompt-facts.js');
  const model = await findModel(values.model, context.env);
  sayMemoryNeed(context, model, values.verbose);
  const { addon } = await context.loadAddon();
  const prompts = await promptPath(values.prompts, values.preset);
  return openEngine(addon, model, {
    ...engineOptions(values),
    ...(values.mutual ? { method: 'normals' } : {}),
    ...warningsTo(context),
    ...(prompts === undefined ? {} : { prompts }),
  });
}

/** Progress on a terminal as a bar; what is worth keeping as lines on stderr. */
export function shower(context: Context, progress: Progress, name = ''): (event: TestProgress) => void {
  let stage = '';
  return (event) => {
    if (event.stage === 'note') {
      progress.clear();
      return say(context, event.text);
    }
    if (event.stage !== stage) {
      stage = event.stage;
      progress.stage(name + event.stage, event.total);
    }
    progress.at(
      event.done,
      event.stage === 'scoring' ? visible(`${event.dataSet}/${event.className}`) : undefined,
    );
  };
}

/** The exit code (3) is that of the inputs. */
export function someFailed(failed: number): CraneError {
  return new CraneError('E_INPUTS_FAILED', `${failed} pictures could not be scored and are in no figure`, {
    hint: 'the results name them',
  });
}
