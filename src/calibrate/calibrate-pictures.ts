/** Thresholds from pictures that a caller holds and labels itself: good ones alone, or good and bad ones. */
import type { Engine } from '../engine/engine.js';
import { checkClassName } from '../engine/method-choice.js';
import { isFailed } from '../engine/result.js';
import { CraneError } from '../errors.js';
import type { PictureInput } from '../images/picture-input.js';
import { rangesOf } from '../methods/registry.js';
import type { BestF1Threshold, ConformalThreshold } from '../models/calibration.js';
import { conformalRank, conformalThreshold } from '../models/conformal.js';
import { defaultOf } from '../options/table.js';
import type { PictureChoices } from '../options/types.js';
import { bestF1OfScores, k_bootstraps } from './best-f1.js';

export interface LabelledPicture {
  input: PictureInput;
  name: string;
  isAnomalous: boolean;
}

export interface PictureCalibration {
  /** as results carry it: the thresholds hold for results of exactly this label */
  settings: string;
  rule: 'best-f1' | 'false-alarm-rate';
  /** of the rule false-alarm-rate: the wanted bound */
  falseAlarmRate: number | null;
  pictures: { normal: number; anomalous: number };
  image: BestF1Threshold | ConformalThreshold;
  /** null with best-f1: the pictures have no masks */
  map: ConformalThreshold | null;
}

/**
 * With bad pictures the threshold of best F1, without the one that holds the rate. A picture that cannot be scored ends it.
 * @throws CraneError E_CALIBRATE_TOO_FEW, E_CALIBRATE_SCORES, E_DATA_ONE_CLASS, E_USAGE, and those of scoring
 */
export async function calibrateByPictures(
  engine: Engine,
  pictures: readonly LabelledPicture[],
  choices: PictureChoices,
  { falseAlarmRate, signal }: { falseAlarmRate: number | undefined; signal: AbortSignal },
): Promise<PictureCalibration> {
  const anomalous = pictures.filter(({ isAnomalous }) => isAnomalous).length;
  const counts = { normal: pictures.length - anomalous, anomalous };
  const rate = falseAlarmRate ?? defaultOf('falseAlarmRate');
  if (anomalous > 0 && falseAlarmRate !== undefined)
    throw new CraneError('E_USAGE', 'a false-alarm rate is chosen from good pictures alone', {
      hint: 'leave the bad pictures or falseAlarmRate away',
    });
  if (anomalous > 0 && counts.normal === 0)
    throw new CraneError('E_DATA_ONE_CLASS', 'all pictures are bad; a best F1 needs good ones too');
  // Known too few before anything is scored.
  if (anomalous === 0 && conformalRank(counts.normal, rate) > counts.normal)
    conformalThreshold(new Array<number>(counts.normal).fill(0), rate);
  checkClassName(engine.settings(choices));
  const ranges = rangesOf(await engine.settledSettings(choices));
  const scored: { score: number; mapMax: number; isAnomalous: boolean }[] = [];
  let settings = '';
  const inputs = pictures.map(({ input, name }) => ({ input, name }));
  for await (const outcome of engine.scoreMany(inputs, { ...choices, map: true, signal })) {
    const { name, isAnomalous } = pictures[outcome.index]!;
    if (isFailed(outcome)) {
      const { code, message, hint } = outcome.error;
      throw new CraneError(code, message.includes(name) ? message : `${name}: ${message}`, { hint });
    }
    const { score, mapMax = Number.NaN, model } = outcome;
    if (!Number.isFinite(score) || !Number.isFinite(mapMax))
      throw new CraneError('E_IMAGE_NONFINITE', `${name}: its score or its map is not a number`);
    settings = model;
    scored.push({ score, mapMax, isAnomalous });
  }
  if (anomalous === 0) {
    const of = (values: number[], what: string, highest: number) =>
      conformalThreshold(values, rate, { what, highest });
    return {
      settings,
      rule: 'false-alarm-rate',
      falseAlarmRate: rate,
      pictures: counts,
      image: of(
        scored.map(({ score }) => score),
        'scores',
        ranges.score[1],
      ),
      map: of(
        scored.map(({ mapMax }) => mapMax),
        'map maxima',
        ranges.map[1],
      ),
    };
  }
  const [first] = scored;
  if (scored.every(({ score }) => score === first!.score))
    throw new CraneError(
      'E_CALIBRATE_SCORES',
      `all pictures have the score ${first!.score}: no threshold parts them`,
    );
  const image = await bestF1OfScores(scored, k_bootstraps.image, engine.addon);
  return { settings, rule: 'best-f1', falseAlarmRate: null, pictures: counts, image: image!, map: null };
}
