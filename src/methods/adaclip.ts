/** AdaCLIP (docs/methods/adaclip.md); native/methods/adaclip. */
import type { MethodOptions } from '../addon/method.js';
import type { FeatureShape } from '../addon/training.js';
import { ensembles, sentencesOf } from '../text/ensemble.js';
import type { LearningSettings, MethodDescriptor } from './descriptor.js';
import { embeddingWork, passWork, product, type WorkPart, type WorkSizes } from './operation-counts.js';
import { diceRows, features, fusion, halfDeepTokens, sigma, temperature } from './shared-settings.js';

export interface AdaClipOptions extends MethodOptions {
  /** 1-based block numbers, one linear head each */
  features: number[];
  /** mix the clusters of the most anomalous patches into the picture's feature */
  fusion: boolean;
  imageScore: 'fused' | 'map-max';
  temperature: number;
  clusters: number;
  /** patches that are clustered, for each cluster */
  clusterPatches: number;
  clusterSeed: number;
  compat: {
    halfDeepTokens: boolean;
    unseededKMeans: boolean;
    diceRows: boolean;
    /** of the patches in descending order, instead of k-means; none: k-means */
    clusterLabels: number[];
  };
}

const settings = {
  features,
  fusion,
  imageScore: {
    kind: 'choice',
    values: ['fused', 'map-max'],
    help: "the score: from the picture's feature, or the map's maximum",
  },
  temperature,
  sigma,
  clusters: {
    kind: 'integer',
    min: 1,
    max: 1024,
    help: 'clusters that the most anomalous patches are put into (AdaCLIP)',
  },
  clusterPatches: {
    kind: 'integer',
    min: 1,
    max: 1024,
    help: 'patches that are clustered, for each cluster (AdaCLIP)',
  },
  clusterSeed: { kind: 'integer', min: 0, max: 2147483647, help: 'what k-means begins with (AdaCLIP)' },
  'compat.halfDeepTokens': halfDeepTokens,
  'compat.unseededKMeans': {
    kind: 'flag',
    group: 'Compatibility',
    help: 'k-means begins by chance for every picture: scores then differ from run to run (AdaCLIP)',
  },
  'compat.diceRows': diceRows,
  'compat.clusterLabels': {
    kind: 'integers',
    min: 0,
    group: 'Compatibility',
    help: 'clusters of the most anomalous patches, in descending order, instead of k-means; none: k-means',
  },
} as const;

export const adaclip = {
  name: 'adaclip',
  what: 'prompts in both towers, some made from the picture; learned heads on plain blocks',
  settings,
  about: {
    paper:
      'Cao et al., AdaCLIP: Adapting CLIP with Hybrid Learnable Prompts for Zero-Shot Anomaly Detection, ECCV 2024',
    code: 'github.com/caoyunkang/AdaCLIP at e27ee32 (MIT)',
    licence: 'MIT, as the repository that links to the checkpoints',
    notes: [
      'its code clusters the most anomalous patches; the publication clusters all and keeps one cluster',
      'its k-means begins by chance, so its scores of pictures differ from run to run; the maps do not',
      'its code runs weights that were learned with QuickGELU with the exact GELU',
      'its training keeps the epoch with the best pixel F1 on another test set; train keeps every epoch, and chooses none',
    ],
  },
  defaults: {
    features: [6, 12, 18, 24],
    fusion: true,
    imageScore: 'fused',
    temperature: 0.01,
    sigma: 4,
    clusters: 20,
    clusterPatches: 5,
    clusterSeed: 0,
    'compat.halfDeepTokens': true,
    'compat.unseededKMeans': false,
    'compat.diceRows': true,
    'compat.clusterLabels': [],
  },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  backbone: { name: 'ViT-L-14-336px', activation: 'gelu', positions: 'bicubic' },
  learned: { needed: true },
  namesClass: true,
  material: ({ file, className }) => ({
    texts: { ...sentencesOf(ensembles.adaclip, className) },
    files: file === undefined ? {} : { heads: file },
  }),
  // No text vector is kept: they depend on the picture.
  keptBy: () => [],
  training: {
    defaults: {
      epochs: 5,
      batchSize: 1,
      learningRate: 1e-2,
      betas: [0.5, 0.999],
      weightDecay: 0.01,
      focalWeight: 1,
      diceWeight: 1,
      imageLossWeight: 1,
      deepTokens: 5,
      deepBlocks: 4,
    },
    learner: (_method, given) => {
      const { learningRate, betas, weightDecay, ...rest } = given as Required<LearningSettings>;
      const { focalWeight, diceWeight, imageLossWeight, deepTokens, deepBlocks } = rest;
      return {
        learningRate,
        beta1: betas[0],
        beta2: betas[1],
        weightDecay,
        focalWeight,
        diceWeight,
        imageLossWeight,
        deepTokens,
        deepBlocks,
      };
    },
  },
  work: promptedWork,
  // What is frozen of a picture depends on no setting.
  features: (_method, { tensors, grid }: FeatureShape) => ({
    shape: { tensors, grid },
    method: { name: 'adaclip' },
  }),
} as const satisfies MethodDescriptor<AdaClipOptions>;

/** Rows that are learned or made from the picture, as its checkpoints have them. */
const k_promptRows = 5;
/** 28 of what is normal, 20 of what is not; rows behind the end of a sentence reach nothing. */
const k_sentences = 48;
const k_sentenceRows = 16;

/** The picture twice, without and with prompts; its sentences; heads. K-means is not counted. */
function promptedWork({ features }: AdaClipOptions, { vision, text, jointWidth }: WorkSizes): WorkPart[] {
  const { width, patches, registers } = vision;
  const rows = 1 + registers + patches;
  const levels = features.length;
  return [
    { part: 'patches', gflop: embeddingWork(vision) },
    { part: 'plain pass', gflop: passWork(vision, 1, rows) },
    { part: 'prompted pass', gflop: passWork(vision, 1, rows + k_promptRows) },
    { part: 'sentences', gflop: passWork({ ...text, mlp: 4 * text.width }, k_sentences, k_sentenceRows) },
    { part: 'generators', gflop: product(k_promptRows, jointWidth, width + text.width) },
    { part: 'heads', gflop: product(levels, patches, width, jointWidth) + product(jointWidth, jointWidth) },
    { part: 'logits', gflop: product(levels, patches, jointWidth, 2) },
  ];
}
