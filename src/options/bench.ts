/** The part of THE table (table.ts) that belongs to the bench command. */
import { flag, int, num, type OptionSpec, text } from './kinds.js';
import type { BenchCommandOptions } from './types.js';

const cli = ['cli'] as const;

export const benchCommandOptions = {
  synthetic: flag({
    group: 'Benchmark',
    scope: cli,
    default: false,
    help: 'random weights of full size, made once in the cache folder, of the towers that the method was published on',
  }),
  vs: text({
    group: 'Benchmark',
    scope: cli,
    defaultText: 'nobody',
    help: 'a peer in the same run: plain, pytorch, openvino, authors, batched, or a model; several: --vs A --vs B',
  }),
  rounds: int({
    group: 'Benchmark',
    scope: cli,
    min: 1,
    max: 10_000,
    default: 7,
    help: 'rounds; in each one everybody works once, one after the other',
  }),
  warmup: int({
    group: 'Benchmark',
    scope: cli,
    min: 0,
    max: 1000,
    default: 1,
    help: 'rounds before them that are not counted',
  }),
  seconds: num({
    group: 'Benchmark',
    scope: cli,
    min: 0,
    open: true,
    defaultText: 'no limit',
    help: 'begin no further round of a batch size after so many seconds',
  }),
  python: text({
    group: 'Benchmark',
    scope: cli,
    defaultText: 'python3 of the active environment or PATH',
    help: 'interpreter with the packages of pytorch, openvino, authors and batched',
  }),
} satisfies { readonly [K in keyof BenchCommandOptions]: OptionSpec<BenchCommandOptions[K]> };
