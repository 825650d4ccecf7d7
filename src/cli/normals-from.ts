/** What --normals-from stands for: a bank, or the memory of the method. */
import { resolve } from 'node:path';
import type { Engine } from '../engine/engine.js';
import { checkNormals } from '../engine/method-choice.js';
import { CraneError } from '../errors.js';
import { normals } from '../methods/normals.js';
import { defaultMethod, joinsBank, takesMemory } from '../methods/registry.js';
import { flagName } from '../options/table.js';
import type { AllOptions, LearnNormalsChoices, OptionName } from '../options/types.js';
import type { KeptBank } from '../scoring/bank-of-pictures.js';
import { visible } from '../terminal/visible.js';
import { type Context, say } from './context.js';
import { learningOptions } from './flags.js';
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
  }
  progress.stage('', 0);
  return bank;
}

/**
 * The bank that the pictures which are scored are themselves. @throws CraneError E_USAGE for what does not go with it, E_NORMALS of fewer
 * than two
 */
export async function bankOfInputs(
  context: Context,
  engine: Engine,
  inputs: readonly string[],
  values: AllOptions,
  progress: Progress,
) {
  const { recursive, includeMasks = false, followLinks = false, out, json, turns = 1 } = values;
  const { bankOfPictures } = await import('../scoring/bank-of-pictures.js');
  const { bank, kept } = await bankOfPictures(
    engine,
    { ...learningOptions(values), turns },
    {
      inputs,
      followLinks,
      listing: { recursive, includeMasks, exclude: out === undefined ? [] : [resolve(out)] },
      signal: context.stop,
      onTotal: (count) => progress.stage('patches', count),
      onProgress: (done) => progress.at(done),
    },
    context.env,
  );
  progress.clear();
  const count = bank.facts.pictures.length;
  if (count < 2)
    throw new CraneError('E_NORMALS', 'pictures are compared with each other (--mutual), and there is one', {
      hint: 'name more, or compare with good pictures: --normals-from FOLDER',
    });
  if (!json)
    say(
      context,
      visible(
        `each of ${count} pictures is compared with the others: most have to be good, and of one kind of thing; patches ${whereOf(kept)}`,
      ),
    );
  progress.stage('', 0);
  return bank;
}

/** @throws CraneError E_USAGE for flags that --mutual leaves no room for */
export function checkMutual(values: AllOptions, isGiven: (name: OptionName) => boolean): void {
  const others = ['normals', 'normalsFrom', 'evidence', 'falseAlarmRate', 'shard', 'prompts'] as const;
  const excluded = others.find(isGiven);
  if (excluded !== undefined)
    throw new CraneError('E_USAGE', `--mutual does not go with --${flagName(excluded)}`, {
      hint: 'it compares the pictures with each other, and knows none that is good for sure',
    });
  if (values.method === undefined || values.method === normals.name) return;
  throw new CraneError('E_USAGE', `--mutual belongs to method ${normals.name}, not to ${values.method}`);
}

function whereOf(kept: KeptBank['kept']): string {
  if ('failure' in kept) return `not kept for the next time: ${kept.failure}`;
  return `${kept.isNew ? 'kept in' : 'found in'} ${kept.path}`;
}
