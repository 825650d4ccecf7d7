/** The seeds of several runs: seed, seed + 1 and so on. */
import { CraneError } from '../errors.js';
import { options } from './table.js';

/** @throws CraneError E_USAGE where one of them would be none that `seed` takes */
export function seedsFrom(seed: number, seeds: number): number[] {
  const last = seed + seeds - 1;
  if (!options.seed.accepts(last))
    throw new CraneError(
      'E_USAGE',
      `seed ${seed} and seeds ${seeds} go up to ${last}, and a seed is ${options.seed.expected}`,
      { hint: 'begin with a smaller --seed (seed), or take fewer --seeds (seeds)' },
    );
  return Array.from({ length: seeds }, (_, run) => seed + run);
}
