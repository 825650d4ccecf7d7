/** AnoVL; native/methods/anovl. */
import type { MethodOptions } from '../addon/method.js';
import { ensembles, sentencesOf } from '../text/ensemble.js';
import type { MethodDescriptor } from './descriptor.js';
import { embeddingWork, passWork, product, type WorkPart, type WorkSizes } from './operation-counts.js';
import { rawTextMean, sigma, temperature } from './shared-settings.js';

export interface AnovlOptions extends MethodOptions {
  augment: boolean;
  adapter: 'none' | 'text' | 'linear';
  adapterSteps: number;
  adapterSeed: number;
  temperature: number;
  imageScore: 'class-token' | 'map-max';
  compat: { rawTextMean: boolean; carriedState: boolean; noise: boolean };
}

const settings = {
  augment: { kind: 'flag', help: 'the score is the mean over 22 views; off: that of the picture alone' },
  adapter: {
    kind: 'choice',
    values: ['none', 'text', 'linear'],
    help: 'what is learned anew for every map: an attention over the sentences, a linear map, nothing',
  },
  adapterSteps: {
    kind: 'integer',
    min: 0,
    max: 10_000,
    isCostly: true,
    help: 'steps that the adapter learns',
  },
  adapterSeed: {
    kind: 'integer',
    min: 0,
    max: 2_147_483_647,
    help: "of the adapter's first weights, the same for every picture",
  },
  temperature,
  imageScore: {
    kind: 'choice',
    values: ['class-token', 'map-max'],
    help: "the score: from the views' class tokens, or the map's maximum",
  },
  sigma,
  'compat.rawTextMean': rawTextMean,
  'compat.carriedState': {
    kind: 'flag',
    group: 'Compatibility',
    help: "the adapter's optimiser goes on from picture to picture: a map then depends on those before",
  },
  'compat.noise': {
    kind: 'flag',
    group: 'Compatibility',
    help: 'the adapter learns beside a noisy copy of the patches, drawn from its seed; off: beside themselves',
  },
} as const;

export const anovl = {
  name: 'anovl',
  what: 'v-v attention, 22 views, and an adapter that is learned anew for every picture',
  about: {
    paper: 'AnoVL: Adapting Vision-Language Models for Unified Zero-shot Anomaly Localization, 2023',
    code: 'github.com/hq-deng/AnoVL at 3a70bfd',
    licence: 'MIT; weights: those of open_clip, laion400m_e32',
    notes: [
      'probabilities are taken without a temperature: all scores and maps lie close to 0.5 and serve for ranking',
      "image AP of the code is the trapezoid area under precision and recall; this engine's is AP",
      'the program for VisA cuts a wide picture into two squares; this stretches it, or --fit tile cuts it',
    ],
  },
  settings,
  defaults: {
    augment: true,
    adapter: 'text',
    adapterSteps: 5,
    adapterSeed: 0,
    temperature: 1,
    imageScore: 'class-token',
    sigma: 0,
    'compat.rawTextMean': true,
    'compat.carriedState': false,
    'compat.noise': false,
  },
  asPublished: { 'compat.carriedState': true, 'compat.noise': true },
  facts: ({ adapter, compat }) => ({
    couplesPictures: adapter !== 'none' && compat.carriedState,
    dependsOnOrder: adapter !== 'none' && compat.carriedState,
    needsSource: false,
  }),
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  backbone: { name: 'ViT-B-16-plus-240', activation: 'gelu', positions: 'none' },
  learned: null,
  namesClass: true,
  material: ({ className }) => ({ texts: { ...sentencesOf(ensembles.anovl, className) }, files: {} }),
  keptBy: () => [],
  training: null,
  work: viewWork,
  features: null,
} as const satisfies MethodDescriptor<AnovlOptions>;

/** Beside the picture itself (methods/anovl.md 3). */
const k_views = 21;
/** A side's; both make the text adapter (methods/anovl.md 1). */
const k_sentences = 462;

/** The views' class tokens, two streams of the picture, and the adapter's steps: forward, and twice that backward. */
function viewWork({ augment, adapter, adapterSteps }: AnovlOptions, sizes: WorkSizes): WorkPart[] {
  const { vision, jointWidth } = sizes;
  const { width, layers, patches } = vision;
  const rows = 1 + vision.registers + patches;
  const views = augment ? k_views : 0;
  const adapted = adapter === 'none' ? 0 : adapter === 'text' ? 2 * 2 * k_sentences : jointWidth;
  const once = product(patches, jointWidth, adapted);
  return [
    { part: 'patches', gflop: embeddingWork(vision, 1 + views) },
    { part: 'plain stream', gflop: passWork(vision, 1, rows) },
    { part: 'v-v stream', gflop: product(layers, rows, width, 2 * rows + width) },
    { part: 'views', gflop: passWork(vision, views, rows) },
    {
      part: 'features and logits',
      gflop: product(rows + views, width, jointWidth) + product(patches, jointWidth, 2),
    },
    // each step sees the patches twice, clean and beside noise
    { part: 'adapter', gflop: adapted === 0 ? 0 : (3 * 2 * adapterSteps + 1) * once },
  ];
}
