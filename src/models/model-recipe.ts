/**
 * Weights that model.json describes instead of storing them: tensors whose every value is a function of the tensor's
 * name (native/weights/synth.h). This is how a model carries a tower that was never trained in a few lines.
 */
import { z } from 'zod';
import type { SynthTensor } from '../addon/native.js';

/** All recipes of a model together: 1 GiB of float32, more than any text tower needs. A model.json is not trusted. */
const k_mostNumbers = 2 ** 28;
const k_mostTensors = 4096;
/** Up to here every whole number is exact in float32. */
const k_mostValue = 2 ** 24;

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

const tensor = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^#]*#?[^#]*$/, 'expected at most one "#"'),
    shape: z.array(z.int().min(1)).min(1).max(4).optional(),
    exponent: z.int().min(-32).max(32).optional(),
    base: z.number().min(-k_mostValue).max(k_mostValue).optional(),
    values: z.array(z.int().min(-k_mostValue).max(k_mostValue)).min(1).max(65536).optional(),
  })
  .refine(({ shape, exponent, base, values }) => {
    const isMade = shape !== undefined && (exponent !== undefined || base !== undefined);
    const isGiven =
      values !== undefined && shape === undefined && exponent === undefined && base === undefined;
    return isMade ? values === undefined : isGiven;
  }, 'expected either "shape" with "exponent" or "base" or both, or "values" alone');

const recipe = z
  .strictObject({
    salt: z.string().min(1).max(200),
    blocks: z.int().min(1).max(1000).optional(),
    tensors: z.array(tensor).min(1).max(k_mostTensors),
  })
  .refine(({ blocks, tensors }) => blocks !== undefined || !tensors.some(({ name }) => name.includes('#')), {
    path: ['blocks'],
    message: 'expected a number, as a name contains "#"',
  })
  .refine((given: Recipe) => countTensors(given) <= k_mostTensors, {
    path: ['tensors'],
    message: `expected ${k_mostTensors} tensors at most`,
    when: noIssues,
  })
  .refine(
    (given: Recipe) => {
      const names = given.tensors.flatMap((row) => namesOf(given, row));
      return new Set(names).size === names.length;
    },
    { path: ['tensors'], message: 'expected every name once', when: noIssues },
  );

export const recipesSchema = z
  .array(recipe)
  .max(16)
  .refine((recipes) => countNumbers(recipes) <= k_mostNumbers, {
    message: `expected ${k_mostNumbers} numbers at most in all recipes`,
    when: noIssues,
  });

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

function namesOf({ blocks }: Recipe, { name }: RecipeTensor): string[] {
  if (!name.includes('#')) return [name];
  return Array.from({ length: blocks ?? 1 }, (_, block) => name.replace('#', String(block)));
}

/** What follows a fault of the form would only repeat it. */
function noIssues({ issues }: { issues: unknown[] }): boolean {
  return issues.length === 0;
}
