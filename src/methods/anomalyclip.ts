/** AnomalyCLIP (docs/methods/anomalyclip.md); native/methods/anomalyclip. */
import type { MethodOptions } from '../addon/method.js';
import type { FeatureShape } from '../addon/training.js';
import type { LearningSettings, MethodDescriptor } from './descriptor.js';
import { embeddingWork, passWork, product, type WorkPart, type WorkSizes } from './operation-counts.js';
import {
  aliasedFeatures,
  diceRows,
  eAttnLayers,
  features,
  halfDeepTokens,
  sigma,
  storedTokens,
  temperature,
} from './shared-settings.js';

export interface AnomalyClipOptions extends MethodOptions {
  /** number of last blocks that carry the v-v stream */
  eAttnLayers: number;
  /** 1-based block numbers; the map is the sum of theirs */
  features: number[];
  imageScore: 'class-token' | 'map-max';
  temperature: number;
  compat: {
    halfDeepTokens: boolean;
    aliasedFeatures: boolean;
    clsWithoutLnPost: boolean;
    diceRows: boolean;
    /** absent: false */
    storedTokens?: boolean;
  };
}

const settings = {
  eAttnLayers,
  features,
  imageScore: {
    kind: 'choice',
    values: ['class-token', 'map-max'],
    help: "the score: from the picture's feature, or the map's maximum",
  },
  temperature,
  sigma,
  'compat.halfDeepTokens': halfDeepTokens,
  'compat.aliasedFeatures': aliasedFeatures,
  'compat.clsWithoutLnPost': {
    kind: 'flag',
    group: 'Compatibility',
    help: 'project the class token without the final LayerNorm (AnomalyCLIP)',
  },
  'compat.diceRows': diceRows,
  'compat.storedTokens': storedTokens,
} as const;

export const anomalyclip = {
  name: 'anomalyclip',
  what: 'learned prompts against the patches of a v-v stream, at several blocks',
  settings,
  about: {
    paper:
      'Zhou et al., AnomalyCLIP: Object-agnostic Prompt Learning for Zero-shot Anomaly Detection, ICLR 2024',
    code: 'github.com/zqhang/AnomalyCLIP at 45ed4dd (MIT)',
    licence: 'MIT, as the repository that holds the checkpoints',
    notes: [
      'its scripts pass block 24 alone (--features 24); the defaults of its arguments are those here',
      'a checkpoint folder is named after the set that it is tested on, not the one it was learned on',
    ],
  },
  defaults: {
    eAttnLayers: 19,
    features: [6, 12, 18, 24],
    imageScore: 'class-token',
    temperature: 0.07,
    sigma: 4,
    'compat.halfDeepTokens': true,
    'compat.aliasedFeatures': false,
    'compat.clsWithoutLnPost': true,
    'compat.diceRows': true,
    'compat.storedTokens': false,
  },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  ranges: ({ features, imageScore }) => {
    const map = [0, features.length] as const;
    return { score: imageScore === 'map-max' ? map : [0, 1], map };
  },
  backbone: { name: 'ViT-L-14-336px', activation: 'quick-gelu', positions: 'bilinear' },
  // Of a file that does not bring its own: one X for each of the published context's rows.
  learned: {
    needed: true,
    texts: { normal: `${'X '.repeat(12)}object.`, anomalous: `${'X '.repeat(12)}damaged object.` },
  },
  material: ({ texts, file }) => ({
    texts: texts ? { normal: [texts.normal], anomalous: [texts.anomalous] } : {},
    files: file === undefined ? {} : { prompts: file },
  }),
  keptBy: ({ compat }) => [compat.halfDeepTokens, ...(compat.storedTokens ? ['stored tokens'] : [])],
  training: {
    defaults: {
      epochs: 15,
      batchSize: 8,
      learningRate: 1e-3,
      betas: [0.5, 0.999],
      focalWeight: 4,
      diceWeight: 4,
      imageLossWeight: 1,
      contextRows: 12,
      deepTokens: 4,
      deepBlocks: 8,
    },
    learner: (_method, given) => {
      const { learningRate, betas, ...rest } = given as Required<LearningSettings>;
      const { focalWeight, diceWeight, imageLossWeight, contextRows, deepBlocks, deepTokens } = rest;
      return {
        learningRate,
        beta1: betas[0],
        beta2: betas[1],
        focalWeight,
        diceWeight,
        imageLossWeight,
        contextRows,
        deepBlocks,
        deepTokens,
      };
    },
  },
  work: streamWork,
  features: ({ eAttnLayers, features, compat }, { tensors, grid }: FeatureShape) => ({
    shape: { tensors, grid },
    method: {
      name: 'anomalyclip',
      eAttnLayers,
      features,
      compat: { aliasedFeatures: compat.aliasedFeatures, clsWithoutLnPost: compat.clsWithoutLnPost },
    },
  }),
} as const satisfies MethodDescriptor<AnomalyClipOptions>;

/** The plain stream, the v-v stream of the last blocks, and each level through the projection. */
function streamWork(
  { eAttnLayers, features }: AnomalyClipOptions,
  { vision, jointWidth }: WorkSizes,
): WorkPart[] {
  const { width, layers, patches, registers } = vision;
  const rows = 1 + registers + patches;
  const levels = features.length;
  return [
    { part: 'patches', gflop: embeddingWork(vision) },
    { part: 'plain stream', gflop: passWork(vision, 1, rows) },
    { part: 'v-v stream', gflop: product(Math.min(eAttnLayers, layers), rows, width, 2 * rows + width) },
    {
      part: 'features and logits',
      gflop: product(levels, rows, width, jointWidth) + product(levels, patches, jointWidth, 2),
    },
  ];
}
