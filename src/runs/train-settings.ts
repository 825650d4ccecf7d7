/** What a training was made with, complete, as its record keeps it. */
import type { TrainChoices } from '../options/types.js';

/** Everything is decided, but for what may be absent. */
export interface TrainSettings
  extends Omit<Required<TrainChoices>, 'kShot' | 'start' | 'cache' | 'mosaicPool'> {
  kShot: number | undefined;
  start: string | undefined;
  cache: string | undefined;
  mosaicPool: number | undefined;
}
