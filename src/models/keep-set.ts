/** Puts what was learned into a model's folder, as a set of its model.json. */
import { copyFile, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import { withFolderLock } from '../files/folder-lock.js';
import { codedWriteError, writeWhole } from '../files/write-whole.js';
import type { MethodDescriptor } from '../methods/descriptor.js';
import { embeddedModels } from './find-model.js';
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

/** The file first, then model.json, each whole. @returns the path of the kept file; @throws CraneError as checkKept, E_IO_* */
export async function keepSet(model: Model, file: string, kept: KeptSet): Promise<string> {
  const { name, method, learnedOn } = kept;
  const path = modelFile(model, `${name}.safetensors`);
  const described = join(model.folder, 'model.json');
  await withFolderLock(
    model.folder,
    () => {},
    async () => {
      const json = JSON.parse(await readFile(described, 'utf8'));
      // Another training may have kept one meanwhile.
      checkKept({ ...model, ...parseModelJson(JSON.stringify(json), described) }, kept);
      const { texts } = learnedAs(model, file, method);
      json.prompts.sets[name] = {
        method: method.name,
        file: `${name}.safetensors`,
        sha256: await sha256OfFile(file),
        learnedOn: [...learnedOn],
        ...(method.learned?.texts && texts ? texts : {}),
      };
      const text = `${JSON.stringify(json, undefined, 2)}\n`;
      parseModelJson(text, described);
      const temporary = `${path}.tmp`;
      try {
        await copyFile(file, temporary);
        await rename(temporary, path);
      } catch (thrown) {
        throw codedWriteError(path, thrown, '--keep-as');
      } finally {
        await rm(temporary, { force: true });
      }
      await writeWhole(described, text, { overwrite: true });
    },
  );
  return path;
}
