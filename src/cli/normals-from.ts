/** What --normals-from stands for: a bank, or the memory of the method. */
import type { Engine } from '../engine/engine.js';
import { checkNormals } from '../engine/method-choice.js';
import { defaultMethod, joinsBank, takesMemory } from '../methods/registry.js';
import type { AllOptions, LearnNormalsChoices } from '../options/types.js';
import type { KeptBank } from '../scoring/bank-of-pictures.js';
import { visible } from '../terminal/visible.js';
import { type Context, say } from './context.js';
import type { Progress } from './progress.js';
import { sayScan, sayWarnings } from './say-scan.js';

/** Told before a model is loaded. @throws CraneError E_NORMALS where no picture is there, E_INPUT_* */
export async function expectGood({ normalsFrom, followLinks = false }: AllOptions): Promise<void> {
  if (normalsFrom === undefined) return;
  const { listGood } = await import('../scoring/bank-of-pictures.js');
  await listGood({ inputs: [normalsFrom], followLinks });
}

/** The bank of --normals-from, and where it is kept. */
export async function bankFrom(
  context: Context,
  engine: Engine,
  values: AllOptions,
  learning: LearnNormalsChoices,
  progress: Progress,
) {
  const { normalsFrom, followLinks, json, falseAlarmRate, prompts, evidence } = values;
  // Before anything is learned that could not be used.
  const { method } = engine.settings();
  const isChosen =
    values.method !== undefined || evidence !== undefined || takesMemory(method) || joinsBank(method);
  checkNormals(isChosen ? method : defaultMethod('normals'), {
    normals: normalsFrom,
    falseAlarmRate,
    prompts,
  });
  const { bankOfPictures } = await import('../scoring/bank-of-pictures.js');
  const { bank, kept, scan } = await bankOfPictures(
    engine,
    learning,
    {
      inputs: [normalsFrom],
      followLinks: followLinks ?? false,
      signal: context.stop,
      onTotal: (count) => progress.stage('normal pictures', count),
      onProgress: (done) => progress.at(done),
      onNotes: (lines) => {
        progress.clear();
        sayWarnings(context, lines, json);
      },
    },
    context.env,
  );
  progress.clear();
  if (!json) {
    const { pictures } = bank.facts;
    sayScan(context, scan, false);
    say(
      context,
      visible(
        `${bank.facts.method === undefined ? 'bank' : 'memory'} of ${pictures.length} normal pictures, ${whereOf(kept)}`,
      ),
    );
    const { backgroundText } = await import('../normals/background-text.js');
    const background = backgroundText(bank.facts);
    if (background !== undefined) say(context, background);
  }
  progress.stage('', 0);
  return bank;
}

function whereOf(kept: KeptBank['kept']): string {
  if ('failure' in kept) return `not kept for the next time: ${kept.failure}`;
  return `${kept.isNew ? 'kept in' : 'found in'} ${kept.path}`;
}
