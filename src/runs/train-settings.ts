/** What a training was made with, complete, as its record keeps it. */
import type { LearningSettings } from '../methods/descriptor.js';
import type { TrainChoices } from '../options/types.js';

/** Everything is decided, but for what may be absent, and what the method does not have. */
export interface TrainSettings
  extends LearningSettings,
    Omit<
      Required<TrainChoices>,
      keyof LearningSettings | 'kShot' | 'start' | 'cache' | 'mosaicPool' | 'maskValues' | 'maskLabels'
    > {
  kShot: number | undefined;
  start: string | undefined;
  cache: string | undefined;
  mosaicPool: number | undefined;
  /** absent: all above 0 in masks is a defect */
  maskValues?: string[];
  maskLabels?: string;
}
