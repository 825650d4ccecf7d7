/** What every recipe is made of: rows of names, shapes and exponents (recipe.ts), and the parts that towers share. */
import type { SynthTensor } from '../../addon/native.js';

/** [name, shape, e, base]; e = null: every value is base */
export type RecipeRow = [name: string, shape: number[], exponent: number | null, base: number];

export function layerNorm(at: string, width: number): RecipeRow[] {
  return [
    [`${at}.weight`, [width], 2, 1],
    [`${at}.bias`, [width], 3, 0],
  ];
}

export function numbered(count: number, rowsOf: (n: number) => RecipeRow[]): RecipeRow[] {
  return Array.from({ length: count }, (_, n) => rowsOf(n)).flat();
}

/** Around 0 the values have 10 significant bits, which f16 holds exactly; around 1 or 1/2 they need 13. */
export function toTensor(salt: string, [name, shape, exponent, base]: RecipeRow): SynthTensor {
  const dtype = base === 0 ? 'f16' : 'f32';
  return { salt, name, shape, exponent, base, dtype };
}
