/** The distance to the nearest patch of a bank of normal pictures (methods/normals.md 2); native/methods/normals. */
import type { MethodDescriptor } from './descriptor.js';
import { sigma } from './shared-settings.js';

/** MuSc takes 1, 3 and 5, which was worse (docs/normals.md). */
const k_neighbourhoods: number[] = [1];
const k_apart = 'pictures are not compared with each other (mutual)';

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
    help: 'pictures are compared with each other instead of with good ones (most have to be good)',
  },
  mutualShare: {
    kind: 'number',
    min: 0,
    max: 1,
    absent: 0.3,
    help: 'with mutual: share of the other pictures, the nearest of each patch, whose mean distance counts',
  },
  mutualNeighbourhoods: {
    kind: 'integers',
    min: 1,
    entries: 1,
    // the odd sides that there may be
    most: 50,
    absent: k_neighbourhoods,
    help: 'with mutual: sides of the neighbourhoods of patches that are averaged and compared, each on its own; odd',
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
    mutualNeighbourhoods: k_neighbourhoods,
    imageScore: 'farthest',
    sigma: 4,
  },
  idle: ({ mutual }) =>
    mutual
      ? { neighbours: 'a share of the pictures counts (mutual)' }
      : { mutualShare: k_apart, mutualNeighbourhoods: k_apart },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  comparesWith: 'bank',
  ranges: () => ({ score: [0, 1], map: [0, 1] }),
  // crane-mini on four sets of photographs: good patches lie around 0.02, flaws at 0.05 to 0.25.
  mapsSeldomAbove: 0.3,
  learned: null,
  material: () => ({ texts: {}, files: {} }),
  keptBy: () => [],
  training: null,
  features: null,
} as const satisfies MethodDescriptor;
