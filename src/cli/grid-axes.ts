/** An option that a grid varies has no value beside it: that would be passed over without a word. */
import { CraneError } from '../errors.js';
import type { GridAxis } from '../evaluate/grid.js';
import { flagName } from '../options/table.js';
import type { OptionName } from '../options/types.js';

/** @throws CraneError E_USAGE */
export function refuseBesideAxes(axes: readonly GridAxis[], isGiven: (name: OptionName) => boolean): void {
  const own = axes.find(({ name }) => isGiven(name as OptionName));
  if (own === undefined) return;
  throw new CraneError('E_USAGE', `--grid has ${own.name}, and so has --${flagName(own.name)}`, {
    hint: 'leave one of them out',
  });
}
