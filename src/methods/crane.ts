/** Crane and Crane+ (method.md 3 to 6); native/methods/crane. */
import type { CraneOptions } from '../addon/method.js';
import type { FeatureShape, TrainOptions } from '../addon/training.js';
import type { LearningSettings, MethodDescriptor } from './descriptor.js';
import {
  aliasedFeatures,
  eAttnLayers,
  features,
  fusion,
  halfDeepTokens,
  k_mostBlocks,
  sigma,
  storedTokens,
  temperature,
} from './shared-settings.js';

const settings = {
  eAttn: {
    kind: 'choice',
    values: ['vv', 'kk', 'qq', 'qq+kk', 'qq+kk+vv', '(q+k+v)^2'],
    help: 'self-correlations of E-Attn',
  },
  eAttnLayers,
  features,
  softMean: { kind: 'flag', help: 'average probabilities of the maps; off: average logits' },
  dAttn: { kind: 'flag', help: 'use the spatial source (Crane+)' },
  dAttnMaps: {
    kind: 'choice',
    values: ['both', 'dattn'],
    stored: 'maps',
    help: "maps used with D-Attn: D-Attn's and E-Attn's, or D-Attn's alone",
  },
  dAttnBeta: { kind: 'number', min: 0, max: 100, help: 'factor of the mean similarity in D-Attn' },
  fusion,
  imageScore: {
    kind: 'choice',
    values: ['fused', 'map-max'],
    help: "the score: from the picture's feature, or the map's maximum",
  },
  guidanceAtTest: {
    kind: 'choice',
    values: ['none', 'pad-suffix', 'pad-prefix', 'replace-suffix', 'replace-prefix'],
    help: "put the picture's feature into the prompts when scoring",
  },
  temperature,
  sigma,
  'compat.batchMean': {
    kind: 'flag',
    group: 'Compatibility',
    help: "D-Attn's mean over the whole batch: a score then depends on its neighbours",
  },
  'compat.halfDeepTokens': halfDeepTokens,
  'compat.aliasedFeatures': aliasedFeatures,
  'compat.emptyRows': {
    kind: 'choice',
    values: ['self', 'nan'],
    group: 'Compatibility',
    help: 'a D-Attn row that keeps nothing: keep its own patch, or give NaN',
  },
  'compat.dAttnLayers': {
    kind: 'integers',
    min: 1,
    most: k_mostBlocks,
    group: 'Compatibility',
    help: 'blocks with D-Attn; none: the last block only',
  },
  'compat.storedTokens': storedTokens,
} as const;

const k_ofDAttn = ['dAttnMaps', 'dAttnBeta', 'compat.batchMean', 'compat.emptyRows', 'compat.dAttnLayers'];

export const crane = {
  name: 'crane',
  what: 'E-Attn, with a spatial source also D-Attn; learned prompts',
  settings,
  about: {
    paper:
      'Crane: Context-Guided Prompt Learning and Attention Refinement for Zero-Shot Anomaly Detection, arXiv 2504.11055',
    code: 'github.com/AlirezaSalehy/Crane',
    licence: 'prompts of its authors: MIT',
    notes: [],
  },
  defaults: {
    eAttn: 'qq+kk+vv',
    eAttnLayers: 19,
    features: [6, 12, 18, 24],
    softMean: true,
    dAttn: false,
    dAttnMaps: 'both',
    dAttnBeta: 1.2,
    fusion: true,
    imageScore: 'fused',
    guidanceAtTest: 'none',
    temperature: 0.07,
    sigma: 4,
    'compat.batchMean': false,
    'compat.halfDeepTokens': true,
    'compat.aliasedFeatures': true,
    'compat.emptyRows': 'self',
    'compat.dAttnLayers': [],
    'compat.storedTokens': false,
  },
  facts: ({ dAttn, compat }) => ({ couplesPictures: compat.batchMean, needsSource: dAttn }),
  idle: ({ dAttn, imageScore }) => ({
    ...(imageScore === 'map-max' ? { fusion: "the score is the map's maximum (imageScore map-max)" } : {}),
    ...(dAttn ? {} : Object.fromEntries(k_ofDAttn.map((name) => [name, 'D-Attn is off (dAttn)']))),
  }),
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  backbone: { name: 'ViT-L-14-336px', activation: 'quick-gelu', positions: 'bilinear' },
  learned: { needed: true, texts: { normal: 'object.', anomalous: 'damaged object.' } },
  material: ({ texts, file }) => ({
    texts: texts ? { normal: [texts.normal], anomalous: [texts.anomalous] } : {},
    files: file === undefined ? {} : { prompts: file },
  }),
  keptBy: ({ compat }) => [compat.halfDeepTokens, ...(compat.storedTokens ? ['stored tokens'] : [])],
  training: {
    // method.md 7
    defaults: {
      epochs: 5,
      batchSize: 8,
      learningRate: 1e-3,
      betas: [0.6, 0.999],
      focalWeight: 2,
      diceWeight: 2,
      imageLossWeight: 0.2,
      guidance: 'pad-suffix',
      guidanceProbability: 1,
      upsampling: 'nearest',
      contextRows: 12,
      deepTokens: 4,
      deepBlocks: 8,
    },
    learner: learnerOf,
  },
  features: featureIdentity,
} as const satisfies MethodDescriptor<CraneOptions>;

/** method.md 7: temperature of the image loss. */
const k_imageTemperature = 0.01;
const k_adamEps = 1e-8;

/**
 * The maps' temperature is the one that they are scored with. What is as it always was has no entry: trainings that earlier
 * versions saved are gone on with.
 */
function learnerOf({ temperature, compat }: CraneOptions, settings: LearningSettings, seed: number) {
  const { learningRate, betas, contextRows, deepBlocks, deepTokens } = settings;
  const { focalWeight, diceWeight, imageLossWeight, guidance, guidanceProbability, upsampling } =
    settings as Required<LearningSettings>;
  const options: TrainOptions = {
    focalWeight,
    diceWeight,
    imageLossWeight,
    imageTemperature: k_imageTemperature,
    learningRate,
    beta1: betas[0],
    beta2: betas[1],
    eps: k_adamEps,
    guidance,
    sharedPrefix: true,
    pixelTemperature: temperature,
    halfDeepTokens: compat.halfDeepTokens,
  };
  return {
    ...options,
    ...(guidanceProbability === 1 ? {} : { guidanceProbability, guidanceSeed: seed }),
    ...(upsampling === 'nearest' ? {} : { upsampling }),
    contextRows: contextRows!,
    deepBlocks: deepBlocks!,
    deepTokens: deepTokens!,
  };
}

/** As keys have named a file's contents since the first version: distinct maps, and how often each is listed. */
function featureIdentity(method: CraneOptions, { tensors, grid }: FeatureShape) {
  const { eAttn, eAttnLayers, features, dAttn, maps, dAttnBeta, fusion, compat } = method;
  const [distinct = 0, , width = 0] = tensors.find(({ name }) => name === 'maps')?.shape ?? [];
  const copies = !dAttn && compat.aliasedFeatures ? features.length : 1;
  // These two concern the text tower alone.
  const { halfDeepTokens: _, storedTokens: __, ...ofVision } = compat;
  return {
    shape: { maps: distinct, copies, grid, width },
    method: { eAttn, eAttnLayers, features, dAttn, maps, dAttnBeta, fusion, compat: ofVision },
  };
}
