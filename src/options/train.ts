/** The part of THE table (table.ts) that belongs to training: `train` in the shell, createTrainer in the library. */
import { choice, flag, int, isListOf, type LibraryCall, num, type OptionSpec, text, words } from './kinds.js';
import type { TrainCommandOptions } from './types.js';

const cli = ['cli'] as const;
const local = ['cli', 'library'] as const;
const calls: readonly LibraryCall[] = ['createTrainer'];

const isBetas = (value: unknown): value is [number, number] =>
  isListOf(value, (beta): beta is number => typeof beta === 'number' && beta >= 0 && beta < 1) &&
  value.length === 2;

const betas: OptionSpec<[number, number]> = {
  group: 'Training',
  scope: local,
  calls,
  defaultText: "the method's: 0.6,0.999 of Crane",
  help: "Adam's two rates of forgetting",
  isFlag: false,
  schema: { type: 'array', items: { type: 'number', minimum: 0 }, minItems: 2, maxItems: 2 },
  expected: 'two numbers from 0 to below 1, for instance 0.6,0.999',
  accepts: isBetas,
  read: (value) => {
    const pair = value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    return isBetas(pair) ? pair : undefined;
  },
};

export const trainCommandOptions = {
  // --- the loop (method.md 7)
  epochs: int({
    group: 'Training',
    scope: local,
    calls,
    min: 1,
    max: 100_000,
    defaultText: "the method's: 5 of Crane",
    help: 'times that every picture is learned from',
  }),
  batchSize: int({
    group: 'Training',
    scope: local,
    calls,
    min: 1,
    max: 4096,
    defaultText: "the method's: 8 of Crane",
    help: 'pictures of one step of the optimiser',
  }),
  learningRate: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 1000,
    open: true,
    defaultText: "the method's: 0.001 of Crane",
    help: 'step size of the optimiser',
  }),
  betas,
  weightDecay: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 1,
    defaultText: "the method's; Crane has none",
    help: "how fast AdamW's parameters shrink",
  }),
  focalWeight: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    defaultText: "the method's: 2 of Crane",
    help: 'weight of the focal loss of the maps',
  }),
  diceWeight: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    defaultText: "the method's: 2 of Crane",
    help: 'weight of the Dice loss of the maps',
  }),
  imageLossWeight: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    defaultText: "the model's, else the method's: 0 of crane-mini, 0.2 of Crane",
    help: "weight of the picture's loss",
  }),
  guidance: choice(['none', 'pad-suffix', 'pad-prefix', 'replace-suffix', 'replace-prefix'], {
    group: 'Training',
    scope: local,
    calls,
    defaultText: "the method's: pad-suffix of Crane",
    help: "where the picture's feature is put into the prompts while learning",
  }),
  guidanceProbability: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 1,
    defaultText: "the method's: 1 of Crane",
    help: 'share of the steps that are guided, drawn from seed and step',
  }),
  upsampling: choice(['nearest', 'bilinear'], {
    group: 'Training',
    scope: local,
    calls,
    defaultText: "the method's: nearest of Crane",
    help: 'how maps become as large as masks in the loss; bilinear reads the masks at every step',
  }),
  seed: int({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 2 ** 32 - 1,
    default: 111,
    help: 'decides first prompts, order and choice of pictures',
  }),
  seeds: int({
    group: 'Training',
    scope: local,
    calls,
    min: 1,
    max: 1000,
    default: 1,
    help: 'number of runs, with seed, seed + 1 and so on; their mean and spread are told',
  }),
  order: choice(['seeded', 'reference'], {
    group: 'Training',
    scope: local,
    calls,
    default: 'seeded',
    help: "order of the pictures: this program's own, or drawn as the authors' code draws it",
  }),
  saveEvery: int({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    default: 200,
    help: 'steps after which the state is saved within an epoch; 0: at its end only',
  }),

  // --- the prompts
  contextRows: int({
    group: 'Training',
    scope: local,
    calls,
    min: 1,
    max: 70,
    defaultText: "the method's: 12 of Crane",
    help: 'learned vectors of each text',
  }),
  deepTokens: int({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 70,
    defaultText: "the method's: 4 of Crane",
    help: 'learned tokens of each deep block of the text tower',
  }),
  deepBlocks: int({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 1024,
    defaultText: "the method's: 8 of Crane, or all but the first where there are fewer",
    help: 'blocks with learned tokens, counted from the second',
  }),
  start: text({
    group: 'Training',
    scope: local,
    calls,
    defaultText: 'new prompts',
    help: 'learn on from this prompt file or prompt set of the model',
  }),

  // --- the pictures
  split: choice(['test', 'train'], {
    group: 'Training',
    scope: local,
    calls: ['openDataSet', ...calls, 'evaluateDataSets', 'calibrate'],
    default: 'test',
    help: 'part of the data sets that is learned from; test is what the authors take',
  }),
  layout: text({
    group: 'Training',
    scope: local,
    calls: ['openDataSet', ...calls, 'evaluateDataSets', 'calibrate'],
    default: 'auto',
    help: 'how folders without meta.json are read (crane-native data list)',
  }),
  leaveOut: words({
    group: 'Training',
    scope: local,
    calls,
    defaultText: 'none',
    help: 'pictures not to learn from: paths, @FILE with one path a line, or copies of them (files, folders)',
  }),
  portion: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 1,
    open: 'low',
    default: 1,
    help: 'share of the pictures of each class and label that is taken',
  }),
  kShot: int({
    group: 'Training',
    scope: local,
    calls,
    min: 2,
    defaultText: 'all',
    help: 'pictures taken of each class, half of them normal',
  }),
  mosaicRate: num({
    group: 'Training',
    scope: local,
    calls,
    min: 0,
    max: 1,
    default: 0,
    help: 'share of 2 x 2 mosaics of one class among the pictures',
  }),
  mosaicPool: int({
    group: 'Training',
    scope: local,
    calls,
    min: 1,
    max: 1_000_000,
    defaultText: 'as many as one epoch takes',
    help: 'number of different mosaics; their features are kept like those of pictures',
  }),
  mosaicClasses: words({
    group: 'Training',
    scope: local,
    calls,
    defaultText: 'hazelnut,pill,zipper,bottle,screw,metal_nut,cable',
    help: 'classes that mosaics are made of',
  }),
  allowOneClass: flag({
    group: 'Training',
    scope: local,
    calls,
    default: false,
    help: 'learn although all pictures are normal, or all anomalous',
  }),

  // --- the feature cache
  cache: text({
    group: 'Training',
    scope: local,
    calls,
    defaultText: 'features in the cache folder (CRANE_CACHE)',
    help: 'folder that keeps the features of pictures between runs',
  }),
  cachePrecision: choice(['f16', 'f32'], {
    group: 'Training',
    scope: local,
    calls,
    default: 'f16',
    help: 'kept features: half precision, or exact at twice the size',
  }),

  // --- the command alone
  thenTest: text({
    group: 'Training',
    scope: cli,
    defaultText: 'none',
    help: 'test what is learned on this data set: one table over all runs; several: --then-test A --then-test B',
  }),
  keepAs: text({
    group: 'Training',
    scope: cli,
    defaultText: 'not kept',
    help: "keep what was learned in the model's folder too, as a set of this name in its model.json",
  }),
  dryRun: flag({
    group: 'Training',
    scope: cli,
    default: false,
    help: 'only say what would be done: pictures, disk, memory',
  }),
  measure: flag({
    group: 'Training',
    scope: cli,
    default: false,
    help: 'with --dry-run: time one picture and one step, and estimate the whole',
  }),
} satisfies { readonly [K in keyof TrainCommandOptions]: OptionSpec<TrainCommandOptions[K]> };
