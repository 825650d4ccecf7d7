/** One result: the same fields in the library and on stdout (library.md "One picture"). */

import type { Region, ScoreResult } from '../addon/native.js';
import type { ErrorCode } from '../errors.js';
import type { AnomalyMap } from '../images/anomaly-map.js';
import type { PictureNote } from '../images/samples.js';
import type { Roi } from '../options/types.js';

export interface Timings {
  decode: number;
  preprocess: number;
  forward: number;
  postprocess: number;
}

export interface PictureScore {
  input: string;
  /** position among the inputs, from 0 */
  index: number;
  score: number;
  /** score >= threshold; null when no threshold is known */
  anomalous: boolean | null;
  threshold: number | null;
  /** the picture's own pixels, after its EXIF orientation */
  width: number;
  height: number;
  /** where one was given: the map covers it alone, and so does the heat map */
  roi?: Roi;
  /** with a mask: how many pixels were ignored */
  ignoredPixels?: number;
  /** compared with a bank that leaves out the background: how many patches were; 0: it shows none, and is compared whole */
  backgroundPatches?: number;
  /** of a picture of more than 8 bits: 0 is black, 2^bitDepth - 1 is white */
  bitDepth?: number;
  /** of a picture of more than 8 bits whose range is none of whole bits: what is black and what is white */
  valueRange?: { low: number; high: number };
  /** what is odd about the picture, though it was scored (docs/pictures.md) */
  warnings?: PictureNote[];
  /** when asked for: in the picture's pixels, largest peak first; null when no mapThreshold is known */
  regions?: Region[] | null;
  /** when asked for */
  map?: AnomalyMap;
  /**
   * with the map or the heat map: the largest value of the map as the model made it, before it is resized to the picture; with
   * `ignore` of the pixels that are left, in the picture's size
   */
  mapMax?: number;
  /** when asked for: the picture with its map laid over it, the bytes of a file */
  heatmap?: Buffer;
  /** name of the model and a hash of all that decides a score */
  model: string;
  ms: Timings;
}

export interface FailedPicture {
  input: string;
  index: number;
  error: { code: ErrorCode; message: string; hint?: string };
}

export type ScoreOutcome = PictureScore | FailedPicture;

export function isFailed(outcome: object): outcome is FailedPicture {
  return 'error' in outcome;
}

/** Of one picture of scorePreprocessed. */
export interface PreprocessedScore {
  score: number;
  map?: AnomalyMap;
  ms: ScoreResult['ms'];
}
