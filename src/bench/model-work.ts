/** Reads the sizes that the arithmetic is counted from out of a loaded model. */

import type { CraneOptions, NativeAddon, WeightFileInfo } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import type { TowerSizes, WorkPart } from '../methods/operation-counts.js';
import { methodOf } from '../methods/registry.js';
import { type Model, modelFile } from '../models/model-json.js';
import { type CraneSizes, craneWork } from './operations.js';
import { sourceSizes, towerSizes } from './source-work.js';

/** One picture's arithmetic, as the engine's own settings run it. */
export interface ModelWork {
  parts: WorkPart[];
  vision: TowerSizes;
  /** of Crane, whom peers compute too */
  crane: CraneSizes | undefined;
}

/** @throws CraneError E_METHOD where the method's arithmetic, or its spatial source's, is not counted */
export async function modelWork(engine: Engine, model: Model): Promise<ModelWork> {
  const { addon, facts } = engine;
  const { method } = engine.settings();
  const files = await inspect(addon, model, model.weights);
  const vision = towerSizes(facts.vision, files, facts.input, facts.patch);
  const { name, work } = methodOf(method);
  if (work) {
    const grid = {
      width: Math.floor(facts.input.width / vision.patch),
      height: Math.floor(facts.input.height / vision.patch),
    };
    return {
      parts: work(method, { vision, grid, text: facts.text, jointWidth: facts.jointWidth }),
      vision,
      crane: undefined,
    };
  }
  if (name !== 'crane') throw new CraneError('E_METHOD', `the arithmetic of method ${name} is not counted`);
  const crane = await craneSizes(engine, model, vision);
  return { parts: craneWork(crane), vision, crane };
}

async function craneSizes(engine: Engine, model: Model, vision: TowerSizes): Promise<CraneSizes> {
  const { addon, facts } = engine;
  const method = engine.settings().method as CraneOptions;
  const eAttn = { kind: method.eAttn, layers: Math.min(method.eAttnLayers, facts.vision.layers) };
  const crane: CraneSizes = { vision, jointWidth: facts.jointWidth, eAttn };
  if (!method.dAttn || !facts.source || !model.source) return crane;
  const [file] = await inspect(addon, model, [model.source.weights]);
  const source = sourceSizes(file!, facts.source, facts.input, facts.patch);
  return { ...crane, dAttn: { source, blocks: Math.max(1, method.compat.dAttnLayers.length) } };
}

async function inspect(
  addon: NativeAddon,
  model: Model,
  parts: readonly { file: string }[],
): Promise<WeightFileInfo[]> {
  return Promise.all(parts.map(({ file }) => addon.inspectWeights(modelFile(model, file))));
}
