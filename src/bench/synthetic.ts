/**
 * Random weights of full size, from the cache folder, or made there first (`weights synth`): the model, and what a
 * compared system learns on it.
 */
import { join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { isThere } from '../files/write-whole.js';
import { findMethod } from '../methods/registry.js';
import { type Model, readModelJson } from '../models/model-json.js';
import {
  isLearnedPart,
  isSyntheticModel,
  type SyntheticModel,
  syntheticModels,
  systemModels,
} from '../models/model-names.js';
import { modelFolder } from '../models/weights/model-folder.js';
import { storeFolder } from '../models/weights/store.js';
import { synthFile, synthFileName } from '../models/weights/synth-file.js';
import { synthModel, synthName } from '../models/weights/synth-model.js';

export interface SyntheticSurroundings {
  env: NodeJS.ProcessEnv;
  loadAddon: () => Promise<NativeAddon>;
  stop: AbortSignal;
  log(line: string): void;
}

/** Whose towers a method was published on; Crane's where nobody says. @throws CraneError E_METHOD */
export function syntheticFor(method: string | undefined): SyntheticModel {
  const backbone = method === undefined ? undefined : findMethod(method).backbone;
  if (!backbone) return 'crane';
  return systemModels.find((name) => findMethod(name).backbone?.name === backbone.name) ?? 'crane';
}

/** @throws CraneError E_USAGE, E_IO_WRITE, E_CANCELLED */
export async function syntheticModel(
  kind: string,
  { env, loadAddon, stop, log }: SyntheticSurroundings,
): Promise<Model> {
  if (!isSyntheticModel(kind)) {
    throw new CraneError('E_USAGE', `there are no random weights for "${kind}"`, {
      hint: `--synthetic goes with --model ${syntheticModels.join(' or --model ')}`,
    });
  }
  const folder = await modelFolder(synthName(kind), env);
  const description = join(folder, 'model.json');
  if (!(await isThere(description))) {
    log(`making random weights of full size, once, in ${folder}`);
    await synthModel(kind, { out: folder, overwrite: false, addon: await loadAddon(), stop, log });
  }
  return readModelJson(description);
}

/** The file of what a method learned; undefined: it learns nothing, or the model has it. @throws as syntheticModel */
export async function syntheticLearned(
  method: string,
  { env, loadAddon, stop, log }: SyntheticSurroundings,
): Promise<string | undefined> {
  if (!isLearnedPart(method)) return undefined;
  const out = join(await storeFolder(env), synthFileName(method));
  if (!(await isThere(out)))
    await synthFile(method, { out, overwrite: false, addon: await loadAddon(), stop, log });
  return out;
}
