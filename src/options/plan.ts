/** The part of THE table (table.ts) that belongs to `plan`: what is asked, and what is assumed. */
import { int, num, type OptionSpec, text } from './kinds.js';
import type { PlanCommandOptions } from './types.js';

const group = 'Plan';
const assumed = 'Assumptions';
const scope = ['cli'] as const;

export const planCommandOptions = {
  pictures: int({ group, scope, min: 1, defaultText: 'needed', help: 'how many there are: 100e6' }),
  deadline: text({ group, scope, defaultText: 'needed', help: 'when all must be done: 90m, 24h, 3d' }),
  pricePerHour: num({ group, scope, min: 0, defaultText: 'no cost', help: 'of one worker, in any currency' }),
  rate: num({
    group,
    scope,
    min: 0,
    open: true,
    defaultText: 'measured here and now',
    help: 'pictures a second of one worker, as bench prints it on such a machine',
  }),
  startSeconds: num({
    group: assumed,
    scope,
    min: 0,
    default: 60,
    help: 'from the start of a worker to its first picture',
  }),
  spread: num({
    group: assumed,
    scope,
    min: 0,
    max: 2,
    default: 0.1,
    help: 'of the times of chunks: standard deviation of their logarithm',
  }),
  slowShare: num({
    group: assumed,
    scope,
    min: 0,
    max: 1,
    default: 0.02,
    help: 'share of workers that are slow all the time',
  }),
  slowTimes: num({
    group: assumed,
    scope,
    min: 1,
    max: 100,
    default: 2,
    help: 'how many times slower those are',
  }),
  killsPerHour: num({
    group: assumed,
    scope,
    min: 0,
    max: 60,
    default: 0.05,
    help: 'kills of one worker an hour',
  }),
  replaceSeconds: num({
    group: assumed,
    scope,
    min: 0,
    default: 120,
    help: 'until a new worker stands in the place of a killed one',
  }),
  failShare: num({
    group: assumed,
    scope,
    min: 0,
    max: 1,
    default: 0.01,
    help: 'share of chunks whose first try fails at its end',
  }),
} satisfies { readonly [K in keyof PlanCommandOptions]: OptionSpec<PlanCommandOptions[K]> };
