/** Settings that several methods have: of one name they mean the same, and their help stands once. */
import type { Setting } from './descriptor.js';

/** Of blocks that a list names: towers have fewer, and each entry takes a map's memory, also of a block that is listed twice. */
export const k_mostBlocks = 64;

export const features = {
  kind: 'integers',
  min: 1,
  entries: 1,
  most: k_mostBlocks,
  help: 'blocks (from 1) whose patch features make maps',
} as const satisfies Setting;

export const temperature = {
  kind: 'number',
  // What is divided by less overflows in float32.
  min: 1e-6,
  max: 100,
  help: 'divides the similarities before the softmax',
} as const satisfies Setting;

export const sigma = {
  kind: 'number',
  min: 0,
  max: 1000,
  help: "blur of the map in pixels of the model's input; 0 turns it off",
} as const satisfies Setting;

export const eAttnLayers = {
  kind: 'integer',
  min: 1,
  max: 1024,
  help: 'number of last blocks that carry the second stream',
} as const satisfies Setting;

export const fusion = {
  kind: 'flag',
  help: "mix the patches' features into the picture's feature",
} as const satisfies Setting;

export const halfDeepTokens = {
  kind: 'flag',
  group: 'Compatibility',
  help: 'round the deep prompt tokens to half precision',
} as const satisfies Setting;

export const aliasedFeatures = {
  kind: 'flag',
  group: 'Compatibility',
  help: 'every listed feature block shows the final features',
} as const satisfies Setting;

export const diceRows = {
  kind: 'flag',
  group: 'Compatibility',
  help: 'the Dice loss of a batch of one is a mean over pixel rows',
} as const satisfies Setting;

export const rawTextMean = {
  kind: 'flag',
  group: 'Compatibility',
  help: "the mean of the sentences' features as they come; off: each at length one first",
} as const satisfies Setting;

export const storedTokens = {
  kind: 'flag',
  group: 'Compatibility',
  absent: false,
  help: "start and end tokens of the prompt file instead of the tower's, where a file brings them",
} as const satisfies Setting;
