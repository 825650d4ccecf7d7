/** What a piece of work of a tiny model is said to be. */
import type { Pins, WorkSettings } from '../../../src/work/submission.js';

export const settings: WorkSettings = {
  model: 'tiny',
  choices: {},
  regions: false,
  maps: null,
  mapSize: 'picture',
  heatmaps: null,
  timings: false,
};

export const pins: Pins = {
  model: 'tiny@1',
  precision: 'float32',
  kernels: 'ref',
  threads: 1,
  libtorch: '2.11.0',
  device: 'cpu',
  craneNative: '0',
};

const rest = { score: 0.5, anomalous: null, threshold: null, width: 4, height: 3, model: 'tiny@1' };

/** A whole row of results. */
export function rowOf(input: string, index: number): string {
  return JSON.stringify({ input, index, ...rest });
}
