/** The tensors that a recipe of model.json describes (model-recipe.ts): their names and how many numbers they hold. */
import type { SynthTensor } from '../addon/native.js';

export interface Recipe {
  /** what the names are hashed with; other salts give other values */
  salt: string;
  /** how many tensors a name with '#' stands for */
  blocks?: number | undefined;
  tensors: RecipeTensor[];
}

interface RecipeTensor {
  /** '#' stands for each block number from 0 */
  name: string;
  shape?: number[] | undefined;
  /** e of base + (2k - 1023) / 1024 * 2^-e; without it every value is base */
  exponent?: number | undefined;
  base?: number | undefined;
  /** a list of whole numbers, given one by one (token ids) */
  values?: number[] | undefined;
}

/** Every tensor of a recipe, block by block numbers filled in. */
export function recipeTensors(given: Recipe): SynthTensor[] {
  return given.tensors.flatMap((row) => {
    const { shape, exponent, base, values } = row;
    return namesOf(given, row).map((name): SynthTensor => {
      const common = { salt: given.salt, name, exponent: exponent ?? null, base: base ?? 0 };
      return values === undefined
        ? { ...common, shape: shape!, dtype: 'f32' }
        : { ...common, shape: [values.length], dtype: 'i32', values };
    });
  });
}

export function countTensors({ blocks, tensors }: Recipe): number {
  return tensors.reduce((sum, { name }) => sum + (name.includes('#') ? (blocks ?? 1) : 1), 0);
}

/** Of all tensors; each takes 4 bytes of memory. */
export function countNumbers(recipes: Recipe[] = []): number {
  const sizes = recipes.flatMap(({ blocks, tensors }) =>
    tensors.map(({ name, shape, values }) => {
      const size = values?.length ?? shape!.reduce((product, side) => product * side, 1);
      return name.includes('#') ? size * (blocks ?? 1) : size;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Of one row, block by block. */
export function namesOf({ blocks }: Recipe, { name }: RecipeTensor): string[] {
  if (!name.includes('#')) return [name];
  return Array.from({ length: blocks ?? 1 }, (_, block) => name.replace('#', String(block)));
}
