/** Makes one file by the recipe: a backbone's weights, or what a compared system learns on one. For benchmarks. */
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import type { SynthTensor } from '../../addon/native.js';
import { CraneError } from '../../errors.js';
import { makeFolder } from '../../files/make-folder.js';
import { exists, isThere } from '../../files/write-whole.js';
import { type BackboneName, backbones, isBackboneName } from '../backbones.js';
import type { LearnedPart } from '../model-names.js';
import { backboneSalts, clipTensors } from './recipe.js';
import { learnedRecipes } from './recipe-learned.js';
import type { SynthOptions } from './synth-model.js';

/** Its name in the store. */
export function synthFileName(kind: BackboneName | LearnedPart): string {
  return `synth-${kind}.safetensors`;
}

/**
 * @returns its absolute path and its bytes
 * @throws CraneError E_USAGE, E_EXISTS, E_IO_WRITE
 */
export async function synthFile(
  kind: BackboneName | LearnedPart,
  { out, overwrite, addon, log }: SynthOptions,
): Promise<{ file: string; bytes: number }> {
  const file = resolve(out);
  if (extname(file) !== '.safetensors')
    throw new CraneError('E_USAGE', `Expected a name ending in .safetensors for --out but received "${out}"`);
  const facts = await stat(file).catch(() => undefined);
  if (facts?.isDirectory())
    throw new CraneError('E_EXISTS', `${out}: is a folder`, { hint: 'choose another --out' });
  if (!overwrite && (await isThere(file))) throw exists(out);
  await makeFolder(dirname(file));
  const { what, tensors } = recipeOf(kind);
  log(`${basename(file)}: ${what}`);
  await addon.synthWeights(file, tensors, { format: 'crane-synth', salt: tensors[0]!.salt });
  return { file, bytes: (await stat(file)).size };
}

function recipeOf(kind: BackboneName | LearnedPart): { what: string; tensors: SynthTensor[] } {
  if (!isBackboneName(kind)) return learnedRecipes[kind]();
  const { what, sizes } = backbones[kind];
  return { what, tensors: clipTensors(sizes, backboneSalts[kind]) };
}
