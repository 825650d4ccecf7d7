/** Scores of pictures that banks remember: no tower runs for them. */
import type { NativeAddon, NativeEngine, ScoreResult } from '../addon/native.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { joinsBank, rangesOf } from '../methods/registry.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type { PictureSettings } from './method-choice.js';

export interface Remembered {
  score: number;
  mapMax: number;
  /** in the model's size */
  map: AnomalyMap;
  ms: ScoreResult['ms'];
}

/**
 * The one picture of `own` against what such settings compare with.
 * @param against handle of that: a bank, or prompts beside one
 */
export async function scoreRemembered(
  { addon, native }: { addon: NativeAddon; native: NativeEngine },
  { own, against, settings }: { own: NormalBank; against: number; settings: PictureSettings },
): Promise<Remembered> {
  const { method } = settings;
  const held = own.hold(native);
  try {
    const contexts = { [joinsBank(method) ? 'both' : 'bank']: [against], pictures: [held.handle] };
    const handle = await native.addContext({ texts: {}, files: {}, contexts }, method);
    try {
      const [result] = await native.ownScores(handle, method);
      const { score, mapMax, map, ms } = result!;
      return { score, mapMax, map: new AnomalyMap(map!, addon, rangesOf(settings).map), ms };
    } finally {
      native.removeContext(handle);
    }
  } finally {
    held.release();
  }
}
