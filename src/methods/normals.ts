/** The distance to the nearest patch of a bank of normal pictures (methods/normals.md 2); native/methods/normals. */
import type { MethodDescriptor } from './descriptor.js';
import { sigma } from './shared-settings.js';

const settings = {
  topShare: {
    kind: 'number',
    min: 0,
    max: 1,
    help: "share of a picture's patches, the farthest, whose mean distance is its score; at least one patch",
  },
  neighbours: {
    kind: 'integer',
    min: 1,
    max: 1000,
    help: 'good pictures whose nearest patches a patch is compared with: the mean of so many; at most all but one',
  },
  mutual: {
    kind: 'flag',
    absent: false,
    help: 'the pictures that are scored are those of the bank: each is compared with the others (most have to be good)',
  },
  mutualShare: {
    kind: 'number',
    min: 0,
    max: 1,
    absent: 0.3,
    help: 'with mutual: share of the other pictures, the nearest of each patch, whose mean distance counts',
  },
  imageScore: {
    kind: 'choice',
    values: ['farthest', 'map-max'],
    help: "the score: the farthest patches, or the map's maximum",
  },
  sigma,
} as const;

export const normals = {
  name: 'normals',
  what: 'the nearest patch of a few good pictures (--normals)',
  settings,
  defaults: {
    topShare: 0.005,
    neighbours: 2,
    mutual: false,
    mutualShare: 0.3,
    imageScore: 'farthest',
    sigma: 4,
  },
  idle: ({ mutual }) =>
    mutual
      ? { neighbours: 'a share of the pictures counts (mutual)' }
      : { mutualShare: 'pictures are not compared with each other (mutual)' },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  comparesWith: 'bank',
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  learned: null,
  material: () => ({ texts: {}, files: {} }),
  keptBy: () => [],
  training: null,
  features: null,
} as const satisfies MethodDescriptor;
