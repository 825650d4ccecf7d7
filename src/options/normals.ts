/** The part of THE table that belongs to banks of normal pictures: which one is used, and how one is learned. */
import { k_mostBlocks } from '../methods/shared-settings.js';
import { NormalBank } from '../normals/normal-bank.js';
import { choice, flag, int, integers, type LibraryCall, num, type OptionSpec, text } from './kinds.js';
import { methodCalls } from './method.js';
import type { AllOptions, LearnNormalsChoices } from './types.js';

/** requests name a bank that the service keeps, and how one is learned */
const everywhere = ['cli', 'library', 'http'] as const;
const calls: readonly LibraryCall[] = ['learnNormals'];
const defaultText = 'from the model';

const normals: OptionSpec<AllOptions['normals']> = {
  group: 'Normals',
  scope: everywhere,
  calls: [...methodCalls, 'calibrate'],
  defaultText: 'none',
  help: 'compare with a bank of normal pictures (a file of normals learn), instead of with prompts',
  isFlag: false,
  expected: 'the file of a bank, or a bank of learnNormals',
  schema: { type: 'string', minLength: 1 },
  read: (value) => (value === '' ? undefined : value),
  accepts: (value): value is AllOptions['normals'] =>
    (typeof value === 'string' && value !== '') || value instanceof NormalBank,
};

export const normalsOptions = {
  normals,
  normalsFrom: text({
    group: 'Normals',
    scope: ['cli'],
    defaultText: 'none',
    help: 'compare with the normal pictures of this folder: a bank is made of them, and kept in the cache folder',
  }),
  evidence: choice(['prompts', 'normals', 'both'], {
    group: 'Normals',
    scope: everywhere,
    calls: [...methodCalls, 'learnNormals'],
    defaultText: 'normal pictures where some are given, else prompts',
    help: 'what speaks of a picture: prompts, normal pictures, or both together',
  }),
  bankTower: choice(['vision', 'source'], {
    group: 'Normals',
    scope: everywhere,
    calls,
    defaultText,
    help: "the tower whose patches are compared: the vision tower, or the model's spatial source",
  }),
  bankBlocks: integers({
    group: 'Normals',
    scope: everywhere,
    calls,
    min: 1,
    most: k_mostBlocks,
    defaultText,
    help: 'blocks (from 1) of the vision tower after which patches are read',
  }),
  turns: int({
    group: 'Normals',
    scope: everywhere,
    calls,
    min: 1,
    max: 360,
    defaultText,
    help: 'turned copies of each normal picture: 8 is every 45 degrees, 1 none but the picture',
  }),
  mirror: flag({
    group: 'Normals',
    scope: everywhere,
    calls,
    defaultText,
    help: 'mirrored copies too',
  }),
  bankKind: choice(['nearest', 'subspace'], {
    group: 'Normals',
    scope: everywhere,
    calls,
    defaultText,
    help: 'a bank of all patches, or of the subspace that they lie in: smaller and faster, and seldom as good',
  }),
  bankVariance: num({
    group: 'Normals',
    scope: everywhere,
    calls,
    min: 0.5,
    max: 0.9999,
    defaultText,
    help: "of a subspace: share of the patches' variance that its axes hold",
  }),
  // How long it takes grows with rows times size: no option of requests.
  bankSize: int({
    group: 'Normals',
    scope: ['cli', 'library'],
    calls,
    min: 1,
    max: 10_000_000,
    defaultText: 'all',
    help: 'rows of the bank: those that stand best for all of them (greedy coreset); a bank that is smaller and faster',
  }),
  bankForeground: flag({
    group: 'Normals',
    scope: everywhere,
    calls,
    defaultText,
    help: 'leave out the patches of a plain background, in good pictures and in those that are scored',
  }),
  bankPrecision: choice(['float32', 'float16', 'bfloat16'], {
    group: 'Normals',
    scope: everywhere,
    calls,
    defaultText,
    help: "what the bank's rows are rounded to: 16 bits make its file half as large; products are float32 all the same",
  }),
} satisfies {
  readonly [K in 'normals' | 'normalsFrom' | 'evidence' | keyof LearnNormalsChoices]: OptionSpec<
    AllOptions[K]
  >;
};
