/** The part of THE table (table.ts) that belongs to work past one machine: merging shards. */
import { flag, type OptionSpec } from './kinds.js';
import type { WorkCommandOptions } from './types.js';

const cli = ['cli'] as const;

export const workCommandOptions = {
  mixedMachines: flag({
    group: 'Work',
    scope: cli,
    default: false,
    help: 'merge shards of machines whose kernels, precision, threads or libtorch differ: last digits may too',
  }),
} satisfies { readonly [K in keyof WorkCommandOptions]: OptionSpec<WorkCommandOptions[K]> };
