/**
 * Weights that model.json describes instead of storing them: tensors whose every value is a function of the tensor's
 * name (native/weights/synth.h). This is how a model carries a tower that was never trained in a few lines.
 */
import { z } from 'zod';
import { countNumbers, countTensors, namesOf, type Recipe } from './recipe-tensors.js';

/** All recipes of a model together: 1 GiB of float32, more than any text tower needs. A model.json is not trusted. */
const k_mostNumbers = 2 ** 28;
const k_mostTensors = 4096;
/** Up to here every whole number is exact in float32. */
const k_mostValue = 2 ** 24;

const tensor = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^#]*(?:#[^#]*)?$/, 'expected at most one "#"'),
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

/** What follows a fault of the form would only repeat it. */
function noIssues({ issues }: { issues: unknown[] }): boolean {
  return issues.length === 0;
}
