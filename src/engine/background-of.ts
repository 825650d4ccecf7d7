/** What a result says of the background, where the bank leaves it out (methods/normals.md 7). */
import type { ScoreResult } from '../addon/native.js';
import type { PictureNote } from '../images/samples.js';
import type { PictureScore } from './result.js';

const k_whole: PictureNote = {
  kind: 'no-background',
  message:
    'shows no plain background, and is compared whole with a bank that leaves backgrounds out (bankForeground): what is no part of the thing looks like a flaw',
};

/** @param leavesOut of what it was compared with */
export function backgroundOf(
  { parts }: Pick<ScoreResult, 'parts'>,
  leavesOut: true | undefined,
): Pick<PictureScore, 'backgroundPatches'> & { notes: PictureNote[] } {
  const count = parts['background'];
  if (leavesOut === undefined || count === undefined) return { notes: [] };
  return { backgroundPatches: count, notes: count === 0 ? [k_whole] : [] };
}
