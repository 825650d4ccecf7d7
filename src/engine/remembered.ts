/** Scores of pictures that banks remember: no tower runs for them. */
import type { NativeAddon, NativeEngine, ScoreResult } from '../addon/native.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { joinsBank, rangesOf } from '../methods/registry.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { backgroundOf } from './background-of.js';
import type { HeldContext } from './contexts.js';
import type { PictureSettings } from './method-choice.js';
import type { PictureScore } from './result.js';

export interface Remembered extends Pick<PictureScore, 'backgroundPatches' | 'warnings'> {
  score: number;
  mapMax: number;
  /** in the model's size */
  map: AnomalyMap;
  ms: ScoreResult['ms'];
}

/**
 * The one picture of `own` against what such settings compare with.
 * @param against that: a bank, or prompts beside one
 */
export async function scoreRemembered(
  { addon, native }: { addon: NativeAddon; native: NativeEngine },
  {
    own,
    against: { handle: compared, leavesOut },
    settings,
  }: {
    own: NormalBank;
    against: Pick<HeldContext, 'handle' | 'leavesOut'>;
    settings: PictureSettings;
  },
): Promise<Remembered> {
  const { method } = settings;
  const held = own.hold(native);
  try {
    const contexts = { [joinsBank(method) ? 'both' : 'bank']: [compared], pictures: [held.handle] };
    const handle = await native.addContext({ texts: {}, files: {}, contexts }, method);
    try {
      const [result] = await native.ownScores(handle, method);
      const { score, mapMax, map, ms } = result!;
      const { notes, ...left } = backgroundOf(result!, leavesOut);
      return {
        score,
        mapMax,
        ...left,
        ...(notes.length === 0 ? {} : { warnings: notes }),
        map: new AnomalyMap(map!, addon, rangesOf(settings).map),
        ms,
      };
    } finally {
      native.removeContext(handle);
    }
  } finally {
    held.release();
  }
}
