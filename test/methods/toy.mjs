/** The descriptor of the tests' own method (test/native/toy_method): what a method costs in TypeScript. */
export const toy = {
  name: 'toy',
  what: 'how far a patch is from the mean patch',
  settings: {
    toyScale: { kind: 'number', min: 0, max: 100, help: 'factor of the distances' },
    imageScore: {
      kind: 'choice',
      values: ['farthest', 'average', 'map-max'],
      help: 'the farthest patch, or the average one',
    },
    sigma: { kind: 'number', min: 0, max: 1000, help: 'blur of the map' },
  },
  defaults: { toyScale: 1, imageScore: 'farthest', sigma: 0 },
  facts: () => ({ couplesPictures: false, needsSource: false }),
  ranges: ({ toyScale }) => ({ score: [0, toyScale], map: [0, toyScale] }),
  learned: { needed: false },
  material: () => ({ texts: {}, files: {} }),
  keptBy: () => [],
  training: {
    defaults: { epochs: 5, batchSize: 8, learningRate: 1e-3, betas: [0.9, 0.999] },
    learner: (_method, { learningRate }) => ({ learningRate }),
  },
  features: ({ toyScale }, { tensors, grid }) => ({ shape: { tensors, grid }, method: { toyScale } }),
};
