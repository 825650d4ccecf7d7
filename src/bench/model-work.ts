/** Reads the sizes that the arithmetic is counted from out of a loaded model. */

import type { CraneOptions, NativeAddon, WeightFileInfo } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import { methodName } from '../methods/descriptor.js';
import { type Model, modelFile } from '../models/model-json.js';
import { sizesOf } from '../models/weights/sizes.js';
import type { Size } from '../options/types.js';
import { type CraneSizes, type TowerSizes, towerSource } from './operations.js';
import { samSizes } from './sam-work.js';

/** The sizes of one picture's arithmetic, as the engine's own settings run it. */
export async function craneSizes(engine: Engine, model: Model): Promise<CraneSizes> {
  const { addon, facts } = engine;
  const settings = engine.settings();
  if (methodName(settings.method) !== 'crane')
    throw new CraneError(
      'E_METHOD',
      `the arithmetic of method ${methodName(settings.method)} is not counted`,
    );
  const method = settings.method as CraneOptions;
  const files = await inspect(addon, model, model.weights);
  const vision = towerSizes(facts.vision, files, facts.input, facts.patch);
  const eAttn = { kind: method.eAttn, layers: Math.min(method.eAttnLayers, facts.vision.layers) };
  const crane: CraneSizes = { vision, jointWidth: facts.jointWidth, eAttn };
  if (!method.dAttn || !facts.source || !model.source) return crane;
  const [file] = await inspect(addon, model, [model.source.weights]);
  const source = samSizes(file!) ?? towerSource(sourceTower(facts.source, file!, facts.input, facts.patch));
  return { ...crane, dAttn: { source, blocks: Math.max(1, method.compat.dAttnLayers.length) } };
}

function sourceTower(
  source: { width: number; layers: number; registers: number },
  file: WeightFileInfo,
  input: Size,
  patch: number,
): TowerSizes {
  return { ...towerSizes(source, [file], input, patch), registers: source.registers };
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

async function inspect(
  addon: NativeAddon,
  model: Model,
  parts: readonly { file: string }[],
): Promise<WeightFileInfo[]> {
  return Promise.all(parts.map(({ file }) => addon.inspectWeights(modelFile(model, file))));
}
