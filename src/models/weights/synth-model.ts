/** Makes full-size models by the recipe: for benchmarks, not for finding defects. Single files: synth-file.ts. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NativeAddon, SynthTensor } from '../../addon/native.js';
import { throwIfCancelled } from '../../cancellation.js';
import { sha256OfFile } from '../../files/content-hash.js';
import { removeLeft } from '../../files/left-files.js';
import { makeFolder } from '../../files/make-folder.js';
import { temporaryBeside, withoutTemporary } from '../../files/temporary-name.js';
import { writeWhole } from '../../files/write-whole.js';
import { findMethod } from '../../methods/registry.js';
import { backbones, isBackboneName } from '../backbones.js';
import { craneTexts, describeCrane, toText, type WeightPart } from '../crane-models.js';
import { checkPlace, publishModel } from '../model-changes.js';
import type { ModelDescription } from '../model-json.js';
import {
  type CraneVariant,
  craneVariants,
  isCraneVariant,
  type SyntheticModel,
  type SystemModel,
} from '../model-names.js';
import { describeSystem } from '../system-models.js';
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
export function synthName(kind: SyntheticModel): string {
  return `synth-${kind}`;
}

interface MadeModel {
  /** absolute */
  folder: string;
  bytes: number;
}

/**
 * Whole or not at all: the folder appears under its name when everything in it is written.
 * @throws CraneError E_EXISTS, E_IO_WRITE, E_CANCELLED
 */
export function synthModel(kind: SyntheticModel, options: SynthOptions): Promise<MadeModel> {
  return staged(options, async (staging) => {
    const write: Writer = async (file, what, tensors) => {
      throwIfCancelled(options.stop);
      options.log(`${file}: ${what}`);
      const path = join(staging, file);
      const { salt } = tensors[0]!;
      await options.addon.synthWeights(path, tensors, { format: 'crane-synth', salt });
      return { file, sha256: await sha256OfFile(path), bytes: (await stat(path)).size };
    };
    return toText(isCraneVariant(kind) ? await craneParts(kind, write) : await systemParts(kind, write));
  });
}

/**
 * A small model for trying methods, whole or not at all.
 * @throws CraneError E_EXISTS, E_IO_WRITE
 */
export function synthToyBackbone(options: SynthOptions): Promise<MadeModel> {
  return staged(options, (staging) => {
    options.log("crane-mini's vision tower, also as spatial source; a text tower by a recipe");
    return copyToyBackbone(staging);
  });
}

type Writer = (file: string, what: string, tensors: SynthTensor[]) => Promise<WeightPart>;

async function craneParts(variant: CraneVariant, write: Writer): Promise<ModelDescription> {
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
  return describeCrane({
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
}

async function systemParts(method: SystemModel, write: Writer): Promise<ModelDescription> {
  const { backbone } = findMethod(method);
  if (!backbone || !isBackboneName(backbone.name)) throw new TypeError(`method ${method} names no backbone`);
  const { what, sizes } = backbones[backbone.name];
  const weights = await write('clip.safetensors', what, clipTensors(sizes, backboneSalts[backbone.name]));
  return describeSystem({
    method,
    name: synthName(method),
    description: `${what} with weights by a recipe: for benchmarks only, its scores mean nothing`,
    licence: 'MIT',
    weights,
  });
}

/** `fill` writes what belongs into the folder, and gives the text of its model.json. */
async function staged(
  { out, overwrite, stop }: SynthOptions,
  fill: (staging: string) => Promise<string>,
): Promise<MadeModel> {
  const folder = resolve(out);
  await checkPlace(folder, overwrite);
  const staging = temporaryBeside(folder);
  try {
    await makeFolder(dirname(folder));
    await removeLeft(dirname(folder), { of: folder });
    await mkdir(staging);
    await writeWhole(join(staging, 'model.json'), await fill(staging), { overwrite: false });
    const sizes = await Promise.all((await readdir(staging)).map((name) => stat(join(staging, name))));
    throwIfCancelled(stop);
    await publishModel(staging, folder, overwrite);
    return { folder, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
  } catch (thrown) {
    throw withoutTemporary(thrown, staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
