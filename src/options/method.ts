/** The part of THE table that methods bring: made from the settings in src/methods, which hold names, ranges and helps. */
import type { Setting, ValueOf } from '../methods/descriptor.js';
import { type AllSettings, allSettings, methodNames } from '../methods/registry.js';
import { choice, flag, int, integers, type LibraryCall, num, type OptionSpec } from './kinds.js';

const everywhere = ['cli', 'library', 'http', 'serve'] as const;
const notOfRequests = ['cli', 'library', 'serve'] as const;
const local = ['cli', 'library'] as const;
/** library functions that take a method's settings */
export const methodCalls: readonly LibraryCall[] = [
  'loadEngine',
  'score',
  'scoreMany',
  'scorePreprocessed',
  'evaluateDataSets',
];
const defaultText = 'from the model';

type Specs<S> = { [K in keyof S]: OptionSpec<ValueOf<S[K]>> };

export const methodOptions = {
  method: choice(methodNames(), {
    group: 'Method',
    scope: everywhere,
    calls: [...methodCalls, 'heatMap'],
    defaultText,
    help: 'how features become scores',
  }),
  ...(Object.fromEntries(
    [...allSettings()].map(([name, setting]) => [name, specOf(setting)]),
  ) as unknown as Specs<AllSettings>),
};

function specOf(setting: Setting): OptionSpec<never> {
  const { group = 'Method', isCostly = false, help } = setting;
  const described = {
    group,
    scope: group !== 'Method' ? local : isCostly ? notOfRequests : everywhere,
    calls: methodCalls,
    defaultText,
    help,
  } as const;
  const made = () => {
    switch (setting.kind) {
      case 'flag':
        return flag(described);
      case 'choice':
        return choice(setting.values, described);
      case 'integer':
        return int({ ...described, min: setting.min, max: setting.max });
      case 'number':
        return num({ ...described, min: setting.min, max: setting.max });
      case 'integers':
        return integers({ ...described, min: setting.min, ...(setting.most ? { most: setting.most } : {}) });
    }
  };
  return made() as unknown as OptionSpec<never>;
}
