/** Reads the sizes that the arithmetic is counted from out of a loaded model. */
import type { Engine } from '../engine/engine.js';
import { type Model, modelFile } from '../engine/model-json.js';
import type { NativeAddon, WeightFileInfo } from '../engine/native.js';
import type { Size } from '../option-types.js';
import { sizesOf } from '../weights/sizes.js';
import { type CraneSizes, craneWork, type TowerSizes, type WorkPart } from './work.js';

export interface ModelWork {
  sizes: CraneSizes;
  /** undefined: not counted, and why */
  parts?: WorkPart[];
  reason?: string;
}

export async function workOf(engine: Engine, model: Model): Promise<ModelWork> {
  const { addon, facts } = engine;
  const { method } = engine.settings();
  const files = await inspect(addon, model, model.weights);
  const vision = towerSizes(facts.vision, files, facts.input, facts.patch);
  const eAttn = { kind: method.eAttn, layers: Math.min(method.eAttnLayers, facts.vision.layers) };
  const crane: CraneSizes = { vision, jointWidth: facts.jointWidth, eAttn };
  if (!method.dAttn || !facts.source || !model.source) return { sizes: crane, parts: craneWork(crane) };

  const sourceFiles = await inspect(addon, model, [model.source.weights]);
  if (sourceFiles.some(isSam)) {
    return { sizes: crane, reason: "the arithmetic of SAM's windows is not counted" };
  }
  const source = {
    ...towerSizes(facts.source, sourceFiles, facts.input, facts.patch),
    registers: facts.source.registers,
  };
  const sizes = { ...crane, dAttn: { source, blocks: Math.max(1, method.compat.dAttnLayers.length) } };
  return { sizes, parts: craneWork(sizes) };
}

/** What the engine knows comes from it; MLP, patch and registers from the shapes in the files. */
function towerSizes(
  { width, layers }: { width: number; layers: number },
  files: readonly WeightFileInfo[],
  input: Size,
  knownPatch: number,
): TowerSizes {
  const stored = files.map((file) => sizesOf(file).vision).find((sizes) => sizes?.width === width);
  const patch = stored?.patch ?? knownPatch;
  return {
    width,
    layers,
    mlp: stored?.mlp || 4 * width,
    patch,
    registers: stored?.registers ?? 0,
    patches: Math.floor(input.width / patch) * Math.floor(input.height / patch),
  };
}

/** SAM has a grid of positions without a class token, and attends in windows. */
function isSam({ naming, tensors }: WeightFileInfo): boolean {
  return naming === 'sam' || tensors.some(({ name }) => name.endsWith('visual.pos_grid'));
}

async function inspect(
  addon: NativeAddon,
  model: Model,
  parts: readonly { file: string }[],
): Promise<WeightFileInfo[]> {
  return Promise.all(parts.map(({ file }) => addon.inspectWeights(modelFile(model, file))));
}
