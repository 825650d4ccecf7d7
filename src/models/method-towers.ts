/** A model's towers as the method runs them: systems run the same weights with other activations and position tables. */
import type { TowerConfig } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { methodName } from '../methods/descriptor.js';
import { findMethod } from '../methods/registry.js';
import type { ModelDescription } from './model-json.js';

type Towers = Pick<ModelDescription, 'name' | 'method' | 'vision' | 'text'> & {
  /** the method that the towers were changed for */
  towersOf?: string;
};

/** Its own method runs a model's towers as model.json has them; another one says what it wants different. */
export function withTowersOf<M extends Towers>(name: string | undefined, model: M): M {
  const { backbone } = findMethod(name ?? methodName(model.method));
  if (name === undefined || name === methodName(model.method) || !backbone) return model;
  const { activation, positions } = backbone;
  return {
    ...model,
    towersOf: name,
    vision: { ...model.vision, activation, positionInterpolation: fitted(model.vision, positions) },
    text: { ...model.text, activation },
  };
}

/**
 * Towers are opened once, and a call may name another method.
 * @throws CraneError E_USAGE where that one runs them otherwise
 */
export function checkTowers(model: Towers, method: { name?: string | undefined }): void {
  const name = methodName(method);
  const { backbone } = findMethod(name);
  const openedFor = model.towersOf ?? methodName(model.method);
  if (name === openedFor || !backbone) return;
  const { vision, text } = model;
  const isSame =
    vision.activation === backbone.activation &&
    text.activation === backbone.activation &&
    (backbone.positions === 'none' || vision.positionInterpolation.kind === backbone.positions);
  if (isSame) return;
  throw new CraneError(
    'E_USAGE',
    `method ${name} runs the towers of ${model.name} with ${backbone.activation} and ${backbone.positions} positions, and they were opened for ${openedFor}`,
    { hint: `name the method when the engine is loaded: loadEngine({ method: '${name}' })` },
  );
}

/** Where its input fits, a method changes nothing of how a model fits its own. */
function fitted(
  { positionInterpolation }: TowerConfig,
  kind: TowerConfig['positionInterpolation']['kind'],
): TowerConfig['positionInterpolation'] {
  if (kind === 'none' || kind === positionInterpolation.kind) return positionInterpolation;
  return { kind, offset: 0 };
}
