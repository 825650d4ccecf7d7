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
  ranges: { score: [0, 100], map: [0, 100] },
  material: () => ({ texts: {}, files: {} }),
  keptBy: () => [],
  learner: () => ({}),
  features: ({ toyScale }, { tensors, grid }) => ({ shape: { tensors, grid }, method: { toyScale } }),
};
