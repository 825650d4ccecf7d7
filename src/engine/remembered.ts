/** Scores of pictures that banks remember: no tower runs for them. */
import type { MethodOptions, NativeAddon, NativeEngine, ScoreResult } from '../addon/native.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { rangesOf } from '../methods/registry.js';
import type { NormalBank } from '../normals/normal-bank.js';

export interface Remembered {
  score: number;
  mapMax: number;
  /** in the model's size */
  map: AnomalyMap;
  ms: ScoreResult['ms'];
}

/** The one picture of `own` against another bank. */
export async function scoreRemembered(
  { addon, native }: { addon: NativeAddon; native: NativeEngine },
  { own, against, method }: { own: NormalBank; against: NormalBank; method: MethodOptions },
): Promise<Remembered> {
  const held = [own, against].map((bank) => bank.hold(native));
  const [pictures, bank] = held.map(({ handle }) => [handle]);
  try {
    const contexts = { bank: bank!, pictures: pictures! };
    const handle = await native.addContext({ texts: {}, files: {}, contexts }, method);
    try {
      const [result] = await native.ownScores(handle, method);
      const { score, mapMax, map, ms } = result!;
      return {
        score,
        mapMax,
        map: new AnomalyMap(map!, addon, rangesOf({ method, normals: against }).map),
        ms,
      };
    } finally {
      native.removeContext(handle);
    }
  } finally {
    for (const { release } of held) release();
  }
}
