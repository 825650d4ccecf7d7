/** What is known of the prompts under test: where they come from and what they were learned on. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { MethodOptions, NativeAddon } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { contentHash, k_pictureDigits } from '../files/content-hash.js';
import { methodOf } from '../methods/registry.js';
import { learnedOnIn } from '../models/learned-on.js';
import type { Model } from '../models/model-json.js';
import { defaultSet } from '../models/prompt-set.js';
import type { PresetName } from '../options/preset-names.js';
import { presets } from './paper/presets.js';
import type { TestedPrompts } from './test-run.js';

export interface PromptFacts extends TestedPrompts {
  /** first hexadecimal digits of the sha256 of the pictures that they were learned from; null: not known */
  learnedPictures: ReadonlySet<string> | null;
}

const k_pictureList = new RegExp(`^[0-9a-f]{${k_pictureDigits}}( [0-9a-f]{${k_pictureDigits}})*$`);

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
  const name = preset === undefined ? 'prompts.safetensors' : `epoch_${presets[preset].epoch}.pth`;
  const path = join(given, name);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  throw new CraneError('E_PROMPTS', `${given}: has no ${name}`, {
    hint:
      preset === undefined
        ? 'name a prompt file, or the folder of a finished training'
        : `${preset} takes the prompts of epoch ${presets[preset].epoch}; name another file to test that`,
  });
}

/**
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
  if (Object.hasOwn(sets, name)) {
    const { sha256, learnedOn } = sets[name]!;
    return { name, sha256, learnedOn, learnedPictures: null };
  }
  const sha256 = await contentHash(name);
  const origin = (await originIn(addon, name)) ?? (await originBeside(addon, name));
  return { name, sha256, learnedOn: null, learnedPictures: null, ...origin };
}

type Origin = Pick<PromptFacts, 'learnedOn' | 'learnedPictures'>;

async function originIn(addon: NativeAddon, path: string): Promise<Origin | undefined> {
  const { metadata } = await addon.inspectWeights(path);
  const learnedOn = learnedOnIn(metadata);
  if (learnedOn === undefined) return undefined;
  const pictures = metadata['learnedPictures'];
  const isList = pictures !== undefined && k_pictureList.test(pictures);
  return { learnedOn, learnedPictures: isList ? new Set(pictures.split(' ')) : null };
}

/** Prompts of one epoch carry no metadata: those of the finished training beside them, or its record, do. */
async function originBeside(addon: NativeAddon, path: string): Promise<Origin | undefined> {
  if (!/^epoch_\d+\.pth$/.test(basename(path))) return undefined;
  const folder = dirname(path);
  const final = await originIn(addon, join(folder, 'prompts.safetensors')).catch(() => undefined);
  if (final) return final;
  try {
    const record = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8'));
    const names: unknown = record?.data?.learnedOn;
    const isList = Array.isArray(names) && names.every((name) => typeof name === 'string');
    return isList ? { learnedOn: names as string[], learnedPictures: null } : undefined;
  } catch {
    return undefined;
  }
}
