/** Makes full-size models and weight files by the recipe: for benchmarks, not for finding defects. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { NativeAddon, SynthTensor } from '../../addon/native.js';
import { throwIfCancelled } from '../../cancellation.js';
import { CraneError } from '../../errors.js';
import { sha256OfFile } from '../../files/content-hash.js';
import { makeFolder } from '../../files/make-folder.js';
import { withoutTemporary } from '../../files/temporary-name.js';
import { exists, isThere, writeWhole } from '../../files/write-whole.js';
import { type BackboneName, backbones } from '../backbones.js';
import { craneTexts, describeCrane, toText, type WeightPart } from '../crane-models.js';
import { type CraneVariant, craneVariants } from '../model-names.js';
import { backboneSalts, clipTensors, fullSalts, fullSizes, promptTensors } from './recipe.js';
import { sourceRecipes } from './recipe-sources.js';
import { copyToyBackbone } from './toy-backbone.js';

export interface SynthOptions {
  /** the folder to make; absolute or relative to the working directory */
  out: string;
  overwrite: boolean;
  addon: NativeAddon;
  stop?: AbortSignal;
  log(line: string): void;
}

/** The name under which `--model` finds it in the cache folder. */
export function synthName(variant: CraneVariant): string {
  return `synth-${variant}`;
}

/**
 * Whole or not at all: the folder appears under its name when everything in it is written.
 * @returns its absolute path and its bytes
 * @throws CraneError E_EXISTS, E_IO_WRITE, E_CANCELLED
 */
export async function synthModel(
  variant: CraneVariant,
  { out, overwrite, addon, stop, log }: SynthOptions,
): Promise<{ folder: string; bytes: number }> {
  const folder = resolve(out);
  await checkFree(folder, overwrite);
  const staging = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makeFolder(dirname(folder));
    await mkdir(staging);
    const write = async (file: string, what: string, tensors: SynthTensor[]): Promise<WeightPart> => {
      throwIfCancelled(stop);
      log(`${file}: ${what}`);
      const path = join(staging, file);
      await addon.synthWeights(path, tensors, { format: 'crane-synth', salt: tensors[0]?.salt ?? '' });
      return { file, sha256: await sha256OfFile(path), bytes: (await stat(path)).size };
    };
    const { kind, source: sourceKind } = craneVariants[variant];
    const { clip, prompts } = fullSizes;
    const learned = await write(
      'prompts.safetensors',
      'two texts of 12 vectors, 8 layers of 4',
      promptTensors(prompts, fullSalts.prompts),
    );
    const weights = await write('clip.safetensors', 'CLIP ViT-L/14@336', clipTensors(clip, fullSalts.clip));
    const recipe = sourceKind && sourceRecipes[sourceKind];
    const source = recipe ? await write(recipe.file, recipe.what, recipe.tensors(recipe.salt)) : undefined;
    const model = describeCrane({
      kind,
      name: synthName(variant),
      description: `${recipe ? `Crane+ with ${recipe.what}` : 'Crane'} at full size with weights by a recipe: for benchmarks only, its scores mean nothing`,
      licence: 'MIT',
      weights,
      ...(source && sourceKind ? { source, sourceKind } : {}),
      prompts: {
        default: 'recipe',
        sets: { recipe: { file: learned.file, sha256: learned.sha256, learnedOn: [], ...craneTexts } },
      },
    });
    await writeWhole(join(staging, 'model.json'), toText(model), { overwrite: false });
    throwIfCancelled(stop);
    await publishFolder(staging, folder, overwrite);
    return { folder, bytes: learned.bytes + weights.bytes + (source?.bytes ?? 0) };
  } catch (thrown) {
    throw withoutTemporary(thrown, staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * A small model for trying methods, whole or not at all. @returns its absolute path and its bytes
 * @throws CraneError E_EXISTS, E_IO_WRITE
 */
export async function synthToyBackbone({
  out,
  overwrite,
  log,
}: SynthOptions): Promise<{ folder: string; bytes: number }> {
  const folder = resolve(out);
  await checkFree(folder, overwrite);
  const staging = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makeFolder(dirname(folder));
    await mkdir(staging);
    log("crane-mini's vision tower, a text tower by a recipe");
    const text = await copyToyBackbone(staging);
    await writeWhole(join(staging, 'model.json'), text, { overwrite: false });
    const sizes = await Promise.all((await readdir(staging)).map((name) => stat(join(staging, name))));
    await publishFolder(staging, folder, overwrite);
    return { folder, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
  } catch (thrown) {
    throw withoutTemporary(thrown, staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * The weights of a backbone alone, as one file. @returns its absolute path and its bytes
 * @throws CraneError E_USAGE, E_EXISTS, E_IO_WRITE
 */
export async function synthBackbone(
  name: BackboneName,
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
  const { what, sizes } = backbones[name];
  log(`${basename(file)}: ${what}`);
  const salt = backboneSalts[name];
  await addon.synthWeights(file, clipTensors(sizes, salt), { format: 'crane-synth', salt });
  return { file, bytes: (await stat(file)).size };
}

/** Only a model is ever replaced: --force must not delete a folder of something else. */
async function checkFree(folder: string, overwrite: boolean): Promise<void> {
  if (!(await isThere(folder))) return;
  if (!overwrite) throw exists(folder);
  const names = await readdir(folder).catch(() => undefined);
  if (names?.length === 0 || names?.includes('model.json')) return;
  throw new CraneError(
    'E_EXISTS',
    `${folder}: exists and is not a model folder, so --force leaves it alone`,
    {
      hint: 'choose another --out',
    },
  );
}

/** An older folder steps aside and is deleted last: at no time is there half a model under the name. */
async function publishFolder(staging: string, folder: string, overwrite: boolean): Promise<void> {
  if (!(await isThere(folder))) return rename(staging, folder);
  await checkFree(folder, overwrite);
  const aside = `${staging}.old`;
  await rename(folder, aside);
  try {
    await rename(staging, folder);
  } catch (thrown) {
    await rename(aside, folder);
    throw thrown;
  }
  await rm(aside, { recursive: true, force: true });
}
