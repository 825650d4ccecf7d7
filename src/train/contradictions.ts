/** Options of a training that would do nothing beside the others: what was meant would stand in run.json and not be done. */
import type { DataItem } from '../data/data-set.js';
import { CraneError } from '../errors.js';
import { flagName } from '../options/table.js';
import type { TrainChoices } from '../options/types.js';
import type { TrainSettings } from '../runs/train-settings.js';

const k_weights = ['focalWeight', 'diceWeight', 'imageLossWeight'] as const;
const k_sizes = ['contextRows', 'deepTokens', 'deepBlocks'] as const;
const k_ofMosaics = ['mosaicPool', 'mosaicClasses'] as const;

/**
 * @param given by the caller: a default contradicts nothing
 * @throws CraneError E_USAGE
 */
export function refuseContradictions(given: TrainChoices, settings: TrainSettings): void {
  const firstOf = (names: readonly (keyof TrainChoices)[]) => names.find((name) => given[name] !== undefined);
  const ofMosaics = given.mosaicRate === undefined ? firstOf(k_ofMosaics) : undefined;
  if (ofMosaics !== undefined)
    throw new CraneError('E_USAGE', `${ofMosaics} says which mosaics there are, and there is no mosaicRate`, {
      hint: 'say how many pictures become mosaics: --mosaic-rate 0.2 (mosaicRate)',
    });
  if (settings.guidance === 'none' && given.guidanceProbability !== undefined)
    throw new CraneError(
      'E_USAGE',
      'guidanceProbability says how many steps are guided, and guidance is none',
      { hint: leaveOut('guidanceProbability') },
    );
  const size = given.start === undefined ? undefined : firstOf(k_sizes);
  if (size !== undefined)
    throw new CraneError('E_USAGE', `${size} is that of the prompts to begin with (start)`, {
      hint: leaveOut(size),
    });
  // A method may weigh its losses in its own way.
  const weights = k_weights.filter((name) => settings[name] !== undefined);
  if (weights.length > 0 && weights.every((name) => settings[name] === 0))
    throw new CraneError('E_USAGE', `${weights.join(', ')} are 0: nothing can be learned`, {
      hint: 'give one of them a weight',
    });
}

/** @throws CraneError E_USAGE where mosaics are wanted and no picture is of a class that they are made of */
export function refuseIdleMosaics(
  items: readonly Pick<DataItem, 'className'>[],
  { mosaicRate, mosaicClasses }: TrainSettings,
): void {
  if (mosaicRate === 0 || items.some(({ className }) => mosaicClasses.includes(className))) return;
  const classes = [...new Set(items.map(({ className }) => className))].sort();
  throw new CraneError(
    'E_USAGE',
    `mosaicRate is ${mosaicRate}, and no mosaic can be made: mosaicClasses are ${listed(mosaicClasses)}, and the data has ${listed(classes)}`,
    { hint: 'name classes whose parts may stand beside each other: --mosaic-classes (mosaicClasses)' },
  );
}

function leaveOut(name: keyof TrainChoices): string {
  return `leave it out: --${flagName(name)} (${name})`;
}

const k_mostListed = 10;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, k_mostListed).join(', ');
  return names.length > k_mostListed ? `${shown} and ${names.length - k_mostListed} more` : shown || 'none';
}
