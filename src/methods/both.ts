/** Crane's prompts and a bank of normal pictures together (methods/both.md); native/methods/both. */
import type { CraneOptions } from '../addon/method.js';
import { crane } from './crane.js';
import type { MethodDescriptor } from './descriptor.js';
import { normals } from './normals.js';

/** What makes a score depend on its neighbours or NaN has no place beside a bank. */
const {
  imageScore: _,
  sigma,
  'compat.batchMean': __,
  'compat.emptyRows': ___,
  ...ofPrompts
} = crane.settings;

const settings = {
  ...ofPrompts,
  topShare: normals.settings.topShare,
  neighbours: normals.settings.neighbours,
  promptMapWeight: {
    kind: 'number',
    min: 0,
    max: 1000,
    help: "weight of the prompts in the map beside the bank's 1, each in its spread over good pictures",
  },
  promptScoreWeight: {
    kind: 'number',
    min: 0,
    max: 1000,
    help: "weight of the prompts in the picture's score, as promptMapWeight",
  },
  promptLeastSpread: {
    kind: 'number',
    min: 0,
    max: 1,
    help: 'added to the spread of the prompts (root of squares), lest blind prompts are scaled up',
  },
  imageScore: {
    kind: 'choice',
    values: ['both', 'map-max'],
    help: "the score: the bank's farthest patches with the prompts' most probable pixels, or the map's maximum",
  },
  sigma,
} as const;

const {
  imageScore: ____,
  sigma: k_sigma,
  'compat.batchMean': _____,
  'compat.emptyRows': ______,
  ...defaultsOfPrompts
} = crane.defaults;

export const both = {
  name: 'both',
  what: 'prompts and a few good pictures together (--evidence both)',
  settings,
  defaults: {
    ...defaultsOfPrompts,
    topShare: normals.defaults.topShare,
    neighbours: normals.defaults.neighbours,
    promptMapWeight: 4,
    promptScoreWeight: 1,
    promptLeastSpread: 0.05,
    imageScore: 'both',
    sigma: k_sigma,
  },
  facts: ({ dAttn }) => ({ couplesPictures: false, needsSource: dAttn }),
  idle: (method) => {
    const { fusion, ...ofDAttn } = { fusion: undefined, ...crane.idle({ ...method, imageScore: 'fused' }) };
    return { fusion: "the prompts' part is of their map", ...ofDAttn };
  },
  comparesWith: 'both',
  builtOn: crane.name,
  besideBank: ({ eAttn, eAttnLayers, features, dAttn, maps, dAttnBeta, compat }) => ({
    eAttn,
    eAttnLayers,
    features: [...features],
    dAttn,
    dAttnMaps: maps,
    dAttnBeta,
    'compat.aliasedFeatures': compat.aliasedFeatures,
    'compat.dAttnLayers': [...compat.dAttnLayers],
  }),
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  // Prompts count in the spread of the good pictures' distances.
  mapsSeldomAbove: 0.3,
  learned: crane.learned,
  material: crane.material,
  keptBy: crane.keptBy,
  training: null,
  features: null,
} as const satisfies MethodDescriptor<CraneOptions>;
