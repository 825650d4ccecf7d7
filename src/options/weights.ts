/** The part of THE table (table.ts) that belongs to the weights commands. */
import { choice, flag, type OptionSpec, text, words } from './kinds.js';
import type { WeightsCommandOptions } from './types.js';

const cli = ['cli'] as const;

export const weightsCommandOptions = {
  each: flag({
    group: 'Weights',
    scope: cli,
    default: false,
    help: 'inspect: a row for each tensor of each block',
  }),
  dtype: choice(['f32', 'f16'], {
    group: 'Weights',
    scope: cli,
    default: 'f32',
    help: 'convert: numbers in the file; f16 halves its size and rounds',
  }),
  from: text({
    group: 'Weights',
    scope: cli,
    defaultText: 'download',
    help: 'pull: import this file, or files of this folder, instead of downloading; several: --from A --from B',
  }),
  learnedOn: words({
    group: 'Weights',
    scope: cli,
    defaultText: 'unknown',
    help: 'pull: data sets that --prompts were learned on',
  }),
} satisfies { readonly [K in keyof WeightsCommandOptions]: OptionSpec<WeightsCommandOptions[K]> };
