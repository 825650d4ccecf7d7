/** What is known of the prompts under test: where they come from and what they were learned on. */
import { stat } from 'node:fs/promises';
import type { MethodOptions, NativeAddon } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import type { PictureSettings } from '../engine/method-choice.js';
import { contentHash, k_pictureDigits } from '../files/content-hash.js';
import { methodOf, needsBank } from '../methods/registry.js';
import { type Model, modelFile } from '../models/model-json.js';
import { promptFile, trainedFile } from '../models/prompt-file.js';
import { type PromptOrigin, promptOrigin } from '../models/prompt-origin.js';
import { defaultSet } from '../models/prompt-set.js';
import type { PresetName } from '../options/preset-names.js';
import { presets } from './paper/presets.js';
import type { TestedNormals, TestedPrompts } from './test-run.js';

/**
 * What pictures are compared with under these settings: prompts, or normal pictures, which stand for themselves. Of prompts and
 * a memory of normal pictures the prompts are named, and the pictures of both are known.
 * @throws CraneError those of a bank that cannot be read
 */
export async function comparedWith(engine: Engine, settings: PictureSettings): Promise<PromptFacts | null> {
  const { addon, model } = engine.trainingParts;
  const { method, prompts, normals } = settings;
  const learned = needsBank(method) ? null : await promptFacts(addon, model, method, prompts);
  if (normals === undefined) return learned;
  const { facts, identity } = await engine.banks.of(settings);
  const { pictures } = facts;
  const own = pictures.map(({ sha256 }) => sha256.slice(0, k_pictureDigits));
  return {
    ...(learned ?? { name: `${pictures.length} normal pictures`, sha256: identity, learnedOn: [] }),
    learnedPictures: new Set([...(learned?.learnedPictures ?? []), ...own]),
  };
}

/** The normal pictures under these settings; undefined: there are none. */
export async function testedNormals(
  engine: Engine,
  settings: PictureSettings,
): Promise<TestedNormals | undefined> {
  if (settings.normals === undefined) return undefined;
  const { facts, identity } = await engine.banks.of(settings);
  return { sha256: identity, pictures: facts.pictures.map((picture) => ({ ...picture })) };
}

export interface PromptFacts extends TestedPrompts, PromptOrigin {
  learnedOn: string[] | null;
}

/**
 * A folder that `train` wrote stands for its final prompts, or with a preset for those of the preset's epoch.
 * @throws CraneError E_PROMPTS
 */
export async function promptPath(
  given: string | undefined,
  preset: PresetName | undefined,
): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const isFolder = await stat(given).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (!isFolder) return given;
  if (preset === undefined) return trainedFile(given, 'prompts.safetensors');
  const { epoch } = presets[preset];
  return trainedFile(
    given,
    `epoch_${epoch}.pth`,
    `${preset} takes the prompts of epoch ${epoch}; name another file to test that`,
  );
}

/**
 * What model.json says of a set's data sets counts; its pictures, and data sets that model.json does not name, come from the file.
 * @param name a set of the model, or the path of a file that could be loaded already; undefined: the method's default
 * @returns null where the method is scored with nothing learned
 */
export async function promptFacts(
  addon: NativeAddon,
  model: Model,
  method: MethodOptions,
  given: string | undefined,
): Promise<PromptFacts | null> {
  const { learned, name: ofMethod } = methodOf(method);
  const name = learned === null ? undefined : (given ?? defaultSet(model, ofMethod));
  if (name === undefined) return null;
  const { sets } = model.prompts;
  if (!Object.hasOwn(sets, name)) {
    const path = await promptFile(model, name);
    const sha256 = await contentHash(path);
    return { name: path, sha256, ...(await promptOrigin(addon, path, sha256)) };
  }
  const { sha256, learnedOn, file } = sets[name]!;
  const origin = await promptOrigin(addon, modelFile(model, file), sha256);
  const isSaid = learnedOn.length > 0 || origin.learnedOn === null;
  return { name, sha256, ...origin, learnedOn: isSaid ? learnedOn : origin.learnedOn };
}
