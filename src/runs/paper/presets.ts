/** The published settings (method.md 9) under names. What a caller gives himself wins over a preset. */
import type { PresetName } from '../../options/preset-names.js';
import type { PictureChoices } from '../../options/types.js';

export interface Preset {
  choices: Pick<PictureChoices, 'features' | 'softMean' | 'dAttn'>;
  /** of the epochs that were saved while learning, the one that the paper took */
  epoch: number;
  /** the spatial source that the paper took; null: none */
  source: 'dinov2' | null;
  /** the column of the paper's tables */
  column: 'Crane' | 'Crane+';
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  crane: {
    choices: { features: [6, 12, 18, 24], softMean: true, dAttn: false },
    epoch: 5,
    source: null,
    column: 'Crane',
  },
  'crane+': {
    choices: { features: [24], softMean: false, dAttn: true },
    epoch: 5,
    source: 'dinov2',
    column: 'Crane+',
  },
  'crane+-dagm': {
    choices: { features: [24], softMean: true, dAttn: true },
    epoch: 5,
    source: 'dinov2',
    column: 'Crane+',
  },
  'crane+-medical': {
    choices: { features: [24], softMean: true, dAttn: true },
    epoch: 1,
    source: 'dinov2',
    column: 'Crane+',
  },
};
