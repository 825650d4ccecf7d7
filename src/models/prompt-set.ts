/** What a model holds of what was learned beforehand, method by method. */
import { CraneError } from '../errors.js';
import { type MethodDescriptor, methodName, type Pair } from '../methods/descriptor.js';
import { findMethod } from '../methods/registry.js';
import type { ModelDescription, PromptSetDescription } from './model-json.js';

type Holder = Pick<ModelDescription, 'name' | 'method' | 'prompts'>;

/** A prompt file and the sentences that belong to it. */
export interface Learned {
  /** a set of the model; undefined: a file of its own */
  set: PromptSetDescription | undefined;
  /** where the method's words were learned */
  texts: Pair | undefined;
}

/** The method that a set was learned for. */
function ownerOf({ method }: Holder, set: PromptSetDescription): string {
  return set.method ?? methodName(method);
}

/** The method that learns what this one is scored with. */
function learnerOf({ name, builtOn }: MethodDescriptor): string {
  return builtOn ?? name;
}

/** What a method is scored with where nobody says: the model's default, or the first set that is the method's own. */
export function defaultSet(model: Holder, method: string): string | undefined {
  const { default: chosen, sets } = model.prompts;
  const wanted = learnerOf(findMethod(method));
  const own = Object.keys(sets).filter((name) => ownerOf(model, sets[name]!) === wanted);
  return own.find((name) => name === chosen) ?? own[0];
}

/**
 * @param name of a set, or of a file
 * @throws CraneError E_PROMPTS for a set of another method
 */
export function learnedAs(model: Holder, name: string, descriptor: MethodDescriptor): Learned {
  const { sets } = model.prompts;
  const set = Object.hasOwn(sets, name) ? sets[name]! : undefined;
  if (set && ownerOf(model, set) !== learnerOf(descriptor))
    throw new CraneError(
      'E_PROMPTS',
      `prompts "${name}" of ${model.name} were learned for method ${ownerOf(model, set)}, not for ${descriptor.name}`,
    );
  const usual = defaultSet(model, descriptor.name);
  const texts = textsOf(set) ?? textsOf(usual === undefined ? undefined : sets[usual]);
  return { set, texts: texts ?? descriptor.learned?.texts };
}

/** What the method needs of it is there: `prompts` as a caller names them, or a set of the model. */
export function isLearned(model: Holder, descriptor: MethodDescriptor, prompts: string | undefined): boolean {
  const isNeeded = descriptor.learned?.needed === true;
  return !isNeeded || prompts !== undefined || defaultSet(model, descriptor.name) !== undefined;
}

/** A method needs what the model lacks. */
export function noneLearned(model: Holder, descriptor: MethodDescriptor): CraneError {
  const { name, training } = descriptor;
  const others = Object.keys(model.prompts.sets);
  const own = others.length > 0 ? ` (its sets ${others.join(', ')} are of other methods)` : '';
  return new CraneError('E_PROMPTS', `${model.name} has nothing learned for method ${name}${own}`, {
    hint: `name a file: --prompts FILE${training ? `; train --method ${name} makes one` : ''}`,
  });
}

function textsOf(set: PromptSetDescription | undefined): Pair | undefined {
  return set?.normal === undefined || set.anomalous === undefined
    ? undefined
    : { normal: set.normal, anomalous: set.anomalous };
}
