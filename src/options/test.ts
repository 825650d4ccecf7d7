/** The part of THE table (table.ts) that belongs to testing: `test` in the shell, evaluateDataSets in the library. */

import { choice, flag, int, isListOf, type LibraryCall, type OptionSpec, text, words } from './kinds.js';
import { paperTableNames, presetNames } from './preset-names.js';
import type { TestCommandOptions } from './types.js';

const local = ['cli', 'library'] as const;
const calls: readonly LibraryCall[] = ['evaluateDataSets'];

const isLimits = (value: unknown): value is number[] =>
  isListOf(value, (limit): limit is number => typeof limit === 'number' && limit > 0 && limit <= 1) &&
  value.length > 0 &&
  new Set(value).size === value.length;

const isShots = (value: unknown): value is number[] =>
  isListOf(value, (shots): shots is number => Number.isSafeInteger(shots) && (shots as number) >= 1) &&
  value.length > 0 &&
  new Set(value).size === value.length;

const limits: OptionSpec<number[]> = {
  group: 'Testing',
  scope: local,
  calls,
  default: [0.05, 0.3],
  defaultText: '0.05,0.3',
  help: "AUPRO's limits of the false-positive rate",
  isFlag: false,
  schema: { type: 'array', items: { type: 'number', exclusiveMinimum: 0, maximum: 1 }, minItems: 1 },
  expected: 'different numbers above 0 and up to 1, for instance 0.05,0.3',
  accepts: isLimits,
  read: (value) => {
    const list = value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    return isLimits(list) ? list : undefined;
  },
};

const normalsKShot: OptionSpec<number[]> = {
  group: 'Testing',
  scope: ['cli'],
  defaultText: 'none',
  help: 'test banks of so many good pictures, drawn --seeds times: 1,2,4,16',
  isFlag: false,
  expected: 'different whole numbers of at least 1, for instance 1,2,4,16',
  schema: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1 },
  accepts: isShots,
  read: (value) => {
    const list = value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    return isShots(list) ? list : undefined;
  },
};

export const testCommandOptions = {
  preset: choice(presetNames, {
    group: 'Testing',
    scope: local,
    calls,
    defaultText: 'none',
    help: 'settings of a published table; what is given beside it wins',
  }),
  comparePaper: flag({
    group: 'Testing',
    scope: local,
    calls,
    default: false,
    help: "put the paper's figures of a known data set beside ours",
  }),
  paperTable: choice(paperTableNames, {
    group: 'Testing',
    scope: ['cli'],
    defaultText: 'none',
    help: 'the rows of a table of the paper, one after the other, with what it prints beside ours (docs/paper.md)',
  }),
  normalsKShot,
  limits,
  bootstrap: int({
    group: 'Testing',
    scope: local,
    calls,
    min: 0,
    max: 1_000_000,
    default: 1000,
    help: 'draws for the 95 % intervals of the image figures; 0: no intervals',
  }),
  bootstrapSeed: int({
    group: 'Testing',
    scope: local,
    calls,
    min: 0,
    max: 2 ** 32 - 1,
    default: 111,
    help: 'decides the draws',
  }),
  keepMaps: flag({
    group: 'Testing',
    scope: local,
    calls,
    default: false,
    help: 'keep the map of every picture, not only of the best and worst of each class',
  }),
  panels: text({
    group: 'Testing',
    scope: ['cli'],
    defaultText: 'none',
    help: 'folder for a panel of every picture: picture, ground truth, map, both over each other',
  }),
  report: flag({
    group: 'Testing',
    scope: local,
    calls,
    default: true,
    help: 'write report.html: one page with tables, curves, and the best and worst pictures',
  }),
  allowEqualScores: flag({
    group: 'Testing',
    scope: local,
    calls: [...calls, 'calibrate'],
    default: false,
    help: 'end well where all pictures have the same score, which hardly ever is meant',
  }),
  methods: words({
    group: 'Testing',
    scope: ['cli'],
    defaultText: 'none',
    help: 'test these methods (or all) one after the other, with one table and their maps side by side',
  }),
  grid: text({
    group: 'Testing',
    scope: ['cli'],
    defaultText: 'none',
    help: 'test all combinations: --grid eAttn=vv,kk fusion=true,false (lists: features=24,6+12+18+24)',
  }),
} satisfies { readonly [K in keyof TestCommandOptions]: OptionSpec<TestCommandOptions[K]> };
