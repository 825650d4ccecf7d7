/** WinCLIP, zero-shot and few-shot; native/methods/winclip. */
import type { MethodOptions } from '../addon/method.js';
import { ensembles, sentencesOf } from '../text/ensemble.js';
import type { MethodDescriptor } from './descriptor.js';
import { embeddingWork, passWork, product, type WorkPart, type WorkSizes } from './operation-counts.js';
import { rawTextMean, sigma, temperature } from './shared-settings.js';

export interface WinclipOptions extends MethodOptions {
  windowSides: number[];
  mapSide: number;
  temperature: number;
  imageScore: 'window-max' | 'map-max';
  compat: {
    bgr: boolean;
    rawTextMean: boolean;
    halvedMap: boolean;
    galleryLag: boolean;
    galleryBatch: number;
  };
}

const settings = {
  windowSides: {
    kind: 'integers',
    min: 1,
    entries: 1,
    isCostly: true,
    help: 'sides of the square windows, in patches',
  },
  mapSide: {
    kind: 'integer',
    min: 0,
    max: 4096,
    help: "side of the map in pixels; 0: that of the model's input, which padding and tiling need",
  },
  temperature,
  imageScore: {
    kind: 'choice',
    values: ['window-max', 'map-max'],
    help: 'the largest value of the map, before or after its blur',
  },
  sigma,
  'compat.bgr': {
    kind: 'flag',
    group: 'Compatibility',
    help: 'pictures that are scored are read blue first, normal ones are not',
  },
  'compat.rawTextMean': rawTextMean,
  'compat.halvedMap': {
    kind: 'flag',
    group: 'Compatibility',
    help: 'without normal pictures the map is fused with itself, which halves it',
  },
  'compat.galleryLag': {
    kind: 'flag',
    group: 'Compatibility',
    help: 'the first window of a side is compared with the windows of the side before',
  },
  'compat.galleryBatch': {
    kind: 'integer',
    min: 0,
    max: 1_000_000,
    group: 'Compatibility',
    help: 'normal pictures come in batches of so many, and the last one replaces those before; 0: all stay',
  },
} as const;

export const winclip = {
  name: 'winclip',
  what: 'CLIP on many small windows, against sentences and normal pictures',
  about: {
    paper: 'WinCLIP: Zero-/Few-Shot Anomaly Classification and Segmentation, CVPR 2023',
    code: 'github.com/caoyunkang/WinClip at 0818c9d, by others than the authors',
    licence: 'MIT; weights: those of open_clip, laion400m_e32',
    notes: [
      "the published figures of MVTec AD and VisA (image AUROC 91.8 of MVTec AD) are the authors'; the public code gives 70.2",
      "the paper's score of a picture compares its class token too; the code takes the map's maximum alone, and so does this",
      'the code computes in half precision; this in what --precision says',
    ],
  },
  settings,
  defaults: {
    windowSides: [2, 3],
    mapSide: 400,
    temperature: 0.01,
    imageScore: 'window-max',
    sigma: 0,
    'compat.bgr': false,
    'compat.rawTextMean': true,
    'compat.halvedMap': true,
    'compat.galleryLag': true,
    'compat.galleryBatch': 0,
  },
  asPublished: { 'compat.bgr': true },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  remembers: ({ windowSides }) => ({ windowSides }),
  // Fused of two maps within [0, 1], or one that is halved.
  ranges: ({ compat }, hasMemory) => {
    const range = [0, compat.halvedMap || hasMemory ? 0.5 : 1] as const;
    return { score: range, map: range };
  },
  backbone: { name: 'ViT-B-16-plus-240', activation: 'gelu', positions: 'none' },
  learned: null,
  namesClass: true,
  material: ({ className }) => ({ texts: { ...sentencesOf(ensembles.winclip, className) }, files: {} }),
  keptBy: () => [],
  training: null,
  work: windowWork,
  features: null,
} as const satisfies MethodDescriptor<WinclipOptions>;

/** Every window is a sequence of its own: its patches and the class token (methods/winclip.md 2). */
function windowWork({ windowSides }: WinclipOptions, { vision, grid, jointWidth }: WorkSizes): WorkPart[] {
  const sides = windowSides.filter((side) => side <= Math.min(grid.width, grid.height));
  const countOf = (side: number) => (grid.width - side + 1) * (grid.height - side + 1);
  const windows = sides.reduce((sum, side) => sum + countOf(side), 0);
  return [
    { part: 'patches', gflop: embeddingWork(vision) },
    ...sides.map((side) => ({
      part: `windows of ${side} x ${side}`,
      gflop: passWork(vision, countOf(side), 1 + side * side),
    })),
    {
      part: 'features and logits',
      gflop: product(windows, vision.width, jointWidth) + product(windows, jointWidth, 2),
    },
  ];
}
