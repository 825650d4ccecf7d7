/** What of a picture is looked at: a rectangle (roi), without the pixels of a mask (ignore). */
import { CraneError } from '../errors.js';
import type { PictureArea } from '../images/decode.js';
import { toPictureSource } from '../images/picture-input.js';
import { needsBank } from '../methods/registry.js';
import type { Roi } from '../options/types.js';
import type { PictureSettings } from './method-choice.js';
import type { ScoreCallOptions } from './picture-item.js';

/** What stands in the label of a result: the mask itself is an input, as the picture is. */
export interface LookedAt {
  roi?: Roi | undefined;
  hasMask: boolean;
}

/** undefined: all of the picture is looked at. @throws CraneError E_USAGE, E_INPUT_URL */
export function areaOf(
  { roi, ignore }: ScoreCallOptions,
  { method, normals }: PictureSettings,
): PictureArea | undefined {
  if (roi === undefined && ignore === undefined) return undefined;
  if (needsBank(method) || normals !== undefined) {
    throw new CraneError(
      'E_USAGE',
      'normal pictures were learned as a whole: no part of a picture is compared with them (roi, ignore)',
      { hint: 'cut the pictures before they are learned and scored' },
    );
  }
  return { roi, ignore: ignore === undefined ? undefined : toPictureSource(ignore) };
}

export function lookedAt({ roi, ignore }: { roi?: Roi | undefined; ignore?: unknown }): LookedAt {
  return { roi, hasMask: ignore !== undefined };
}
