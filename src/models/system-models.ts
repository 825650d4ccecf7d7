/** model.json of the compared systems that learn nothing beforehand: their backbone, run as their descriptor says. */
import { defaultMethod, findMethod } from '../methods/registry.js';
import { backbones, clipTowers, isBackboneName } from './backbones.js';
import { toText, type WeightPart } from './crane-models.js';
import { type ModelDescription, parseModelJson } from './model-json.js';

/** The side of systems that fit the position table to their own input. */
const k_fittedSide = 518;

export interface SystemParts {
  method: string;
  name: string;
  description: string;
  licence: string;
  weights: WeightPart;
}

/** @throws CraneError E_MODEL_JSON when the parts do not make a model */
export function describeSystem({
  method,
  name,
  description,
  licence,
  weights,
}: SystemParts): ModelDescription {
  const { backbone } = findMethod(method);
  if (!backbone || !isBackboneName(backbone.name)) throw new TypeError(`method ${method} names no backbone`);
  const { side } = backbones[backbone.name];
  const input = backbone.positions === 'none' ? side : k_fittedSide;
  const model: ModelDescription = {
    name,
    version: '1',
    description,
    licence,
    weights: [weights],
    input: { width: input, height: input },
    ...clipTowers(backbone),
    prompts: { sets: {} },
    method: defaultMethod(method),
    // A threshold belongs to a data set, not to a model.
    threshold: null,
    mapThreshold: null,
  };
  return parseModelJson(toText(model), `model.json of ${name}`);
}
