import type { PictureInput } from '../images/picture-input.js';
import type { PictureChoices } from '../options/types.js';

/** An input with what is its own: a name for the results, prompts, a threshold, ... */
export interface PictureItem
  extends Pick<PictureChoices, 'prompts' | 'fit' | 'tileOverlap' | 'threshold' | 'mapThreshold'> {
  input: PictureInput;
  name?: string;
  /** position to report; default: counted from 0 */
  index?: number;
}
