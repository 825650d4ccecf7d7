/** VAND, also called APRIL-GAN (docs/methods/vand.md); native/methods/vand. */
import type { MethodOptions } from '../addon/method.js';
import type { FeatureShape } from '../addon/training.js';
import { ensembles, sentencesOf } from '../text/ensemble.js';
import type { LearningSettings, MethodDescriptor } from './descriptor.js';
import { embeddingWork, passWork, product, type WorkPart, type WorkSizes } from './operation-counts.js';
import { diceRows, features, sigma, temperature } from './shared-settings.js';

export interface VandOptions extends MethodOptions {
  /** 1-based block numbers, one linear head each; the map is the sum of theirs */
  features: number[];
  imageScore: 'class-token' | 'map-max';
  temperature: number;
  compat: { classMinMax: boolean; diceRows: boolean };
}

const settings = {
  features,
  imageScore: {
    kind: 'choice',
    values: ['class-token', 'map-max'],
    help: "the score: from the picture's feature, or the map's maximum",
  },
  temperature,
  sigma,
  'compat.classMinMax': {
    kind: 'flag',
    group: 'Compatibility',
    help: "with normal pictures: the map's maximum is scaled over a call's pictures, in a test over a class's",
  },
  'compat.diceRows': diceRows,
} as const;

export const vand = {
  name: 'vand',
  what: 'learned linear heads on plain blocks against an ensemble of sentences',
  settings,
  about: {
    paper:
      'Chen, Han, Zhang, APRIL-GAN: A Zero-/Few-Shot Anomaly Classification and Segmentation Method, VAND challenge of CVPR 2023',
    code: 'github.com/ByChelsea/VAND-APRIL-GAN at f13b8a6 (MIT)',
    licence: 'MIT, as the repository that holds the checkpoints',
    notes: ['at 518 pixels its code runs weights that were learned with QuickGELU with the exact GELU'],
  },
  defaults: {
    features: [6, 12, 18, 24],
    imageScore: 'class-token',
    temperature: 0.01,
    sigma: 0,
    'compat.classMinMax': false,
    'compat.diceRows': true,
  },
  asPublished: { 'compat.classMinMax': true },
  facts: ({ compat }, hasMemory) => ({
    couplesPictures: compat.classMinMax && hasMemory,
    needsWholeClass: compat.classMinMax && hasMemory,
    needsSource: false,
  }),
  remembers: ({ features }) => ({ features }),
  // Of a memory each level adds a distance of 0 to 2, and the mean of two takes the map's maximum a level.
  ranges: ({ features, imageScore, compat }, hasMemory) => {
    const map = [0, (hasMemory ? 3 : 1) * features.length] as const;
    const classToken = [0, hasMemory && !compat.classMinMax ? 2 : 1] as const;
    return { score: imageScore === 'map-max' ? map : classToken, map };
  },
  backbone: { name: 'ViT-L-14-336px', activation: 'gelu', positions: 'bicubic-antialias' },
  learned: { needed: true },
  namesClass: true,
  material: ({ file, className }) => ({
    texts: { ...sentencesOf(ensembles.vand, className) },
    files: file === undefined ? {} : { heads: file },
  }),
  keptBy: () => [],
  training: {
    defaults: {
      epochs: 3,
      batchSize: 8,
      learningRate: 1e-3,
      betas: [0.5, 0.999],
      focalWeight: 1,
      diceWeight: 1,
    },
    learner: (_method, given) => {
      const { learningRate, betas, focalWeight, diceWeight } = given as Required<LearningSettings>;
      return { learningRate, beta1: betas[0], beta2: betas[1], focalWeight, diceWeight };
    },
  },
  work: headWork,
  features: ({ features }, { tensors, grid }: FeatureShape) => ({
    shape: { tensors, grid },
    method: { name: 'vand', features },
  }),
} as const satisfies MethodDescriptor<VandOptions>;

/** Plain blocks, and a linear head for each level. */
function headWork({ features }: VandOptions, { vision, jointWidth }: WorkSizes): WorkPart[] {
  const { width, patches, registers } = vision;
  const levels = features.length;
  return [
    { part: 'patches', gflop: embeddingWork(vision) },
    { part: 'plain stream', gflop: passWork(vision, 1, 1 + registers + patches) },
    { part: 'heads', gflop: product(levels, patches, width, jointWidth) + product(width, jointWidth) },
    { part: 'logits', gflop: product(levels, patches, jointWidth, 2) },
  ];
}
