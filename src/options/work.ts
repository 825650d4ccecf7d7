/** The part of THE table (table.ts) that belongs to work past one machine: merging shards, the queue. */
import { flag, int, type OptionSpec, text } from './kinds.js';
import type { WorkCommandOptions } from './types.js';

const group = 'Work';
const cli = ['cli'] as const;

export const workCommandOptions = {
  mixedMachines: flag({
    group,
    scope: cli,
    default: false,
    help: 'merge shards of machines whose kernels, precision, threads or libtorch differ: last digits may too',
  }),
  redis: text({
    group,
    scope: cli,
    default: 'redis://127.0.0.1:6379',
    help: 'address of the Redis or Valkey server that holds the queue',
  }),
  queue: text({ group, scope: cli, default: 'crane-native', help: 'name of the queue' }),
  manifest: text({
    group,
    scope: cli,
    defaultText: 'none',
    help: 'file of JSON Lines or Parquet that names the pictures: uri, and perhaps id, class, prompts, normals',
  }),
  chunk: int({ group, scope: cli, min: 1, max: 100_000, default: 2000, help: 'pictures of one job' }),
  attempts: int({
    group,
    scope: cli,
    min: 1,
    max: 1000,
    default: 5,
    help: 'tries of a job before it is put aside with the reason of the last one',
  }),
  backoffMs: int({
    group,
    scope: cli,
    min: 0,
    max: 3_600_000,
    default: 5000,
    help: 'milliseconds before the second try; they double with each, and up to half is chance',
  }),
  jobPriority: int({
    group,
    scope: cli,
    min: 0,
    max: 2_000_000,
    default: 0,
    help: '0 goes first, 1 after it, and so on',
  }),
  again: flag({
    group,
    scope: cli,
    default: false,
    help: 'do everything anew, also what has results already',
  }),
  lockMs: int({
    group,
    scope: cli,
    min: 1000,
    max: 3_600_000,
    default: 30_000,
    help: 'milliseconds of silence after which a worker is taken for dead and its job goes to another',
  }),
  jobsPerMinute: int({
    group,
    scope: cli,
    min: 0,
    default: 0,
    help: 'most jobs a minute, of all workers of the queue together; 0: no limit',
  }),
  untilEmpty: flag({
    group,
    scope: cli,
    default: false,
    help: 'end when no job is left, instead of waiting for more',
  }),
  metricsPort: int({
    group,
    scope: cli,
    min: 0,
    max: 65_535,
    defaultText: 'none',
    help: 'port of /metrics and /healthz, on all addresses',
  }),
  submission: text({
    group,
    scope: cli,
    defaultText: 'the only one there is',
    help: 'id of a piece of work, as submit printed it',
  }),
} satisfies { readonly [K in keyof WorkCommandOptions]: OptionSpec<WorkCommandOptions[K]> };
