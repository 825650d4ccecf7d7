/** Options that are given and cannot matter with the others: their figures would be taken for a result. */
import { methodOf } from '../methods/registry.js';
import { defaultOf } from '../options/table.js';
import type { PictureSettings } from './method-choice.js';

export type SettledForm = Pick<PictureSettings, 'method' | 'fit'>;

/** Why an option changes nothing with these settings; undefined: it may. */
export function whyIdle(name: string, { method, fit }: SettledForm): string | undefined {
  if (name === 'tileOverlap') return fit === 'tile' ? undefined : `pictures are not tiled (fit ${fit})`;
  return methodOf(method).idle?.(method)[name];
}

/** A sentence for each of the options that were given and cannot matter. */
export function idleNotes(
  { compat = {}, ...given }: { compat?: object | undefined },
  settled: SettledForm,
): string[] {
  const inCompat = Object.entries(compat).map(([name, value]) => [`compat.${name}`, value] as const);
  return [...Object.entries(given), ...inCompat].flatMap(([name, value]) => {
    const isGiven = value !== undefined && !(name === 'tileOverlap' && value === defaultOf('tileOverlap'));
    const why = isGiven ? whyIdle(name, settled) : undefined;
    return why === undefined ? [] : [`${name} changes nothing here: ${why}`];
  });
}
