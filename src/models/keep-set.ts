/** Puts what was learned into a model's folder, as a set of its model.json. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import type { LockWait } from '../files/folder-lock.js';
import { removeLeft } from '../files/left-files.js';
import { codedReadError } from '../files/open-file.js';
import { writeWhole } from '../files/write-whole.js';
import type { MethodDescriptor } from '../methods/descriptor.js';
import { embeddedModels } from './find-model.js';
import { changeModel, k_nameDigits, removeUnused } from './model-changes.js';
import { type Model, modelFile, parseModelJson } from './model-json.js';
import { learnedAs } from './prompt-set.js';

export interface KeptSet {
  name: string;
  method: MethodDescriptor;
  /** data sets that it was learned on */
  learnedOn: readonly string[];
  /** over a set of that name */
  overwrite: boolean;
}

/** @throws CraneError E_USAGE for a name that is none or a model that came with the package, E_EXISTS */
export function checkKept(model: Model, { name, overwrite }: Pick<KeptSet, 'name' | 'overwrite'>): void {
  if (!/^[a-z0-9][a-z0-9+._-]{0,60}$/.test(name))
    throw new CraneError('E_USAGE', `"${name}" is no name of a set: small letters, digits, + . _ -`);
  if (`${model.folder}/`.startsWith(embeddedModels))
    throw new CraneError('E_USAGE', `${model.name} came with the package and is not changed`, {
      hint: 'keep sets in a model of your own: --model FOLDER',
    });
  if (Object.hasOwn(model.prompts.sets, name) && !overwrite)
    throw new CraneError('E_EXISTS', `${model.name} has a set "${name}" already`, {
      hint: 'another name, or --force',
    });
}

/**
 * The file first, then model.json, each whole. The file's name tells its content, so that nothing that the model has is ever written over:
 * until model.json names the new file, the old one stands beside it.
 * @returns the path of the kept file; @throws CraneError as checkKept, E_IO_*
 */
export async function keepSet(model: Model, file: string, kept: KeptSet, waiting: LockWait): Promise<string> {
  const { name, method, learnedOn } = kept;
  const described = join(model.folder, 'model.json');
  const bytes = await readFile(file).catch((thrown: unknown) => {
    throw codedReadError(file, thrown);
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const own = `${name}-${sha256.slice(0, k_nameDigits)}.safetensors`;
  const path = modelFile(model, own);
  await changeModel(model.folder, waiting, async () => {
    const before = await readFile(described, 'utf8');
    const old = parseModelJson(before, described);
    const json = JSON.parse(before);
    // Another training may have kept one meanwhile.
    checkKept({ ...model, ...old }, kept);
    const { texts } = learnedAs(model, file, method);
    json.prompts ??= { sets: {} };
    json.prompts.sets[name] = {
      method: method.name,
      file: own,
      sha256,
      learnedOn: [...learnedOn],
      ...(method.learned?.texts && texts ? texts : {}),
    };
    const text = `${JSON.stringify(json, undefined, 2)}\n`;
    const changed = parseModelJson(text, described);
    await removeLeft(model.folder);
    await writeWhole(path, bytes, { overwrite: true });
    await writeWhole(described, text, { overwrite: true });
    if (Object.hasOwn(old.prompts.sets, name))
      await removeUnused(model.folder, old.prompts.sets[name]!.file, changed);
  });
  return path;
}
