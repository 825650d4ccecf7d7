/** Several methods on the same model and data: a grid over `method`, of those that can be scored with what the model has. */
import { CraneError } from '../errors.js';
import { allSettings, findMethod, methodNames } from '../methods/registry.js';
import type { ModelDescription } from '../models/model-json.js';
import { defaultSet, noneLearned } from '../models/prompt-set.js';
import { materialOf } from '../text/material.js';
import { type GridAxis, type GridCell, gridCells } from './grid.js';

/** Crane with D-Attn, a system of its own in the paper's tables: of models with a spatial source. */
const k_cranePlus = 'crane+';

export interface MethodsAxis {
  axis: GridAxis;
  /** of the axis; where a model has a spatial source, crane is without it and crane+ with it */
  cells: GridCell[];
  /** of `all`: those that cannot be scored here, and why */
  leftOut: { name: string; why: string }[];
}

/**
 * @param names methods and crane+, or `all`
 * @param hasNormals normal pictures are at hand, which a method may compare with
 * @param speechless methods whose sentences the model has no words for
 * @throws CraneError E_METHOD, E_USAGE; E_PROMPTS for a named method that the model has nothing learned for
 */
export function methodsAxis(
  names: readonly string[],
  model: ModelDescription,
  {
    hasNormals = false,
    speechless = new Set(),
  }: { hasNormals?: boolean; speechless?: ReadonlySet<string> } = {},
): MethodsAxis {
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
  for (const name of isAll ? methodNames().flatMap(withPlus) : names) {
    if (name === k_cranePlus) {
      const why = `${model.name} has no spatial source, which D-Attn needs`;
      if (model.source !== undefined) taken.push(name);
      else if (isAll) leftOut.push({ name, why });
      else throw new CraneError('E_MODEL_CONFIG', why, { hint: 'take --model crane+' });
      continue;
    }
    const descriptor = findMethod(name);
    if (descriptor.comparesWith !== undefined && !(descriptor.comparesWith === 'bank' && hasNormals)) {
      const why =
        hasNormals && descriptor.comparesWith === 'both'
          ? `method ${name} joins prompts and a bank, and is tested by itself: test --evidence both --normals FILE`
          : `method ${name} compares with a bank of normal pictures`;
      if (!isAll)
        throw new CraneError('E_USAGE', why, {
          hint: 'give good pictures: --normals-from FOLDER; or test it by itself: test --normals FILE',
        });
      leftOut.push({ name, why });
      continue;
    }
    if (isAll && speechless.has(name)) {
      leftOut.push({ name, why: `${model.name} knows too few words for the sentences of method ${name}` });
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
  const axis: GridAxis = { name: 'method', texts: taken, values: taken };
  const choose = (name: string) => ({
    method: name === k_cranePlus ? 'crane' : name,
    ...(model.source && ['crane', k_cranePlus].includes(name) ? { dAttn: name === k_cranePlus } : {}),
  });
  const cells = gridCells([axis]).map((cell) => ({ ...cell, choices: choose(cell.texts[0]!) }));
  return { axis, cells, leftOut };
}

/**
 * Methods whose sentences name what a picture shows and hold a word that is not known.
 * @param known ids of tokens; undefined: all are
 */
export async function withoutWords(known: ReadonlySet<number> | undefined): Promise<Set<string>> {
  const speechless = new Set<string>();
  if (known === undefined) return speechless;
  for (const name of methodNames()) {
    const descriptor = findMethod(name);
    if (descriptor.namesClass !== true) continue;
    const given = { texts: undefined, file: undefined, className: 'object' };
    const { texts } = await materialOf(descriptor.material(given));
    // What follows the largest id, the end of a sentence, is not read.
    const isKnown = (ids: ArrayLike<number>) => {
      const all = Array.from(ids);
      return all.slice(0, all.indexOf(Math.max(...all)) + 1).every((id) => known.has(id));
    };
    if (!Object.values(texts).flat().every(isKnown)) speechless.add(name);
  }
  return speechless;
}

function withPlus(name: string): string[] {
  return name === 'crane' ? [name, k_cranePlus] : [name];
}

/**
 * Of given settings those that a method has; the others are for the methods beside it.
 * @throws CraneError E_USAGE for one that none of the cells' methods has
 */
export function settingsFor<V extends object>(
  given: V,
  choices: { method?: string },
  cells: readonly GridCell[],
): V {
  const has = (method: string | undefined, name: string) =>
    method === undefined || Object.hasOwn(findMethod(method).settings, name);
  const names = [...allSettings().keys()].filter(
    (name) => (given as Record<string, unknown>)[name] !== undefined,
  );
  const idle = names.find((name) => !cells.some((cell) => has(cell.choices.method, name)));
  if (idle !== undefined)
    throw new CraneError('E_USAGE', `none of the methods that are tested has a setting "${idle}"`);
  const left = new Set(names.filter((name) => !has(choices.method, name)));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !left.has(name))) as V;
}
