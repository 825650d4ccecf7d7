/** The file behind what a caller names as prompts. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { type Model, modelFile } from './model-json.js';

/**
 * A folder that `train` wrote stands for its final prompts.
 * @param name a set of the model, the path of a file, or such a folder
 * @throws CraneError E_PROMPTS
 */
export async function promptFile(model: Model, name: string): Promise<string> {
  const { sets } = model.prompts;
  const set = Object.hasOwn(sets, name) ? sets[name] : undefined;
  const path = set ? modelFile(model, set.file) : name;
  const facts = await stat(path).catch((cause: unknown) => {
    const known = Object.keys(sets).join(', ');
    throw new CraneError('E_PROMPTS', `prompts "${name}": neither a set of ${model.name} nor a file`, {
      hint: known === '' ? 'the model has no sets' : `the model has ${known}`,
      cause,
    });
  });
  return facts.isDirectory() ? trainedFile(path, 'prompts.safetensors') : path;
}

/** @throws CraneError E_PROMPTS */
export async function trainedFile(
  folder: string,
  name: string,
  hint = 'name a prompt file, or the folder of a finished training',
): Promise<string> {
  const path = join(folder, name);
  const isFile = await stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
  if (isFile) return path;
  throw new CraneError('E_PROMPTS', `${folder}: has no ${name}`, { hint });
}
