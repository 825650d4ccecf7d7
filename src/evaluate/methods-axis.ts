/** Several methods on the same model and data: a grid over `method`, of those that can be scored with what the model has. */
import { CraneError } from '../errors.js';
import { findMethod, methodNames } from '../methods/registry.js';
import type { ModelDescription } from '../models/model-json.js';
import { defaultSet, noneLearned } from '../models/prompt-set.js';
import type { GridAxis } from './grid.js';

export interface MethodsAxis {
  axis: GridAxis;
  /** of `all`: those that cannot be scored here, and why */
  leftOut: { name: string; why: string }[];
}

/**
 * @param names methods, or `all`
 * @throws CraneError E_METHOD, E_USAGE; E_PROMPTS for a named method that the model has nothing learned for
 */
export function methodsAxis(names: readonly string[], model: ModelDescription): MethodsAxis {
  const isAll = names.length === 1 && names[0] === 'all';
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (names.length === 0 || twice !== undefined)
    throw new CraneError(
      'E_USAGE',
      twice === undefined ? '--methods names none' : `--methods names ${twice} twice`,
      { hint: `all, or some of ${methodNames().join(', ')}` },
    );
  const leftOut: MethodsAxis['leftOut'] = [];
  const taken: string[] = [];
  for (const name of isAll ? methodNames() : names) {
    const descriptor = findMethod(name);
    if (descriptor.comparesWith === 'bank') {
      const why = `method ${name} compares with a bank of normal pictures`;
      if (!isAll) throw new CraneError('E_USAGE', why, { hint: 'test it by itself: test --normals FILE' });
      leftOut.push({ name, why });
      continue;
    }
    const isLacking = descriptor.learned?.needed === true && defaultSet(model, name) === undefined;
    if (!isLacking) {
      taken.push(name);
      continue;
    }
    const error = noneLearned(model, descriptor);
    // What was asked for by name is not left out.
    if (!isAll) throw error;
    leftOut.push({ name, why: error.message });
  }
  return { axis: { name: 'method', texts: taken, values: taken }, leftOut };
}
