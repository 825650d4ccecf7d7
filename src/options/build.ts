/** The part of THE table (table.ts) that belongs to the build command. */
import { flag, int, type OptionSpec } from './kinds.js';
import type { BuildCommandOptions } from './types.js';

const cli = ['cli'] as const;

export const buildCommandOptions = {
  clean: flag({ group: 'Building', scope: cli, default: false, help: 'configure from nothing' }),
  tests: flag({
    group: 'Building',
    scope: cli,
    default: false,
    help: 'build the native tests too (needs GoogleTest)',
  }),
  fetch: flag({
    group: 'Building',
    scope: cli,
    default: false,
    help: 'only find or fetch libtorch, compile nothing',
  }),
  refetch: flag({
    group: 'Building',
    scope: cli,
    default: false,
    help: 'as --fetch, after dropping what the cache has',
  }),
  jobs: int({
    group: 'Building',
    scope: cli,
    min: 1,
    max: 1024,
    defaultText: 'cores, fewer when memory is short',
    help: 'compilers at once',
  }),
} satisfies { readonly [K in keyof BuildCommandOptions]: OptionSpec<BuildCommandOptions[K]> };
