/** calibrate: scores pictures, chooses a threshold for them and for their maps, and says how sure it is. */

import type { NativeMapLevels } from '../addon/metrics.js';
import type { NativeAddon } from '../addon/native.js';
import { orCancelled } from '../cancellation.js';
import { lookAhead } from '../data/check/look-ahead.js';
import type { DataItem, DataSet } from '../data/data-set.js';
import { maskOfPicture } from '../data/label-mask.js';
import type { Engine } from '../engine/engine.js';
import { checkClassName } from '../engine/method-choice.js';
import { type FailedPicture, isFailed, type PictureScore } from '../engine/result.js';
import { type EqualScores, equalScoresError, ScoreWatch } from '../engine/score-watch.js';
import { CraneError, toCraneError } from '../errors.js';
import { NoteTally } from '../images/note-tally.js';
import type { PictureNote } from '../images/samples.js';
import { rangesOf } from '../methods/registry.js';
import type { BestF1Threshold, Calibration } from '../models/calibration.js';
import { conformalRank, conformalThreshold } from '../models/conformal.js';
import { checkOptions, wrongValue } from '../options/check.js';
import { defaultOf } from '../options/table.js';
import type { CalibrateChoices } from '../options/types.js';
import { identify } from '../runs/data-identity.js';
import { comparedWith } from '../runs/prompt-facts.js';
import type { ScanReport } from '../scan/scan-account.js';
import { bestF1OfMaps, bestF1OfScores, k_bootstraps } from './best-f1.js';
import { calibrationPictures } from './pictures.js';

export interface CalibrateOptions extends CalibrateChoices {
  /** stays open; its options (model, prompts, size, method ...) are what the thresholds hold for */
  engine: Engine;
  /** a data set (root or meta.json); with normalOnly also a folder of pictures */
  data: string;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

export interface CalibrationOutcome {
  calibration: Calibration;
  /** pictures that could not be scored: the calibration was made without them */
  failed: FailedPicture[];
  /** what was found in the data set or folder, and what was left out */
  scan: ScanReport;
  /** what was odd about pictures that were scored, a sentence for each kind */
  warnings: string[];
}

/** Thresholds of maps are multiples of 1/4096 of their range: finer steps change F1 by less than the pictures' choice does. */
const k_mapLevels = 4096;

interface Scored {
  name: string;
  isAnomalous: boolean;
  score: number;
  mapMax: number;
  /** false: its anomalous pixels are not known, so its map tells nothing of a threshold */
  hasLevels: boolean;
}

/**
 * @throws CraneError E_DATA_*, E_CALIBRATE_TOO_FEW (more normal pictures are needed for the rate), E_CALIBRATE_SCORES (no
 *   threshold parts these scores), E_INPUTS_FAILED (no picture could be scored), E_CANCELLED, E_DISPOSED
 */
export async function calibrate(given: CalibrateOptions): Promise<CalibrationOutcome> {
  const options = checkCalibrateOptions(given);
  const {
    engine,
    data,
    normalOnly = defaultOf('normalOnly'),
    falseAlarmRate = defaultOf('falseAlarmRate'),
    split,
    layout = defaultOf('layout'),
    allowEqualScores = defaultOf('allowEqualScores'),
    normals,
    signal,
    onProgress: _onProgress,
    ...reading
  } = options;
  const compared = normals === undefined ? {} : { normals };
  const set = await calibrationPictures(data, { ...reading, normalOnly, split, layout });
  // Known too few before an hour of scoring.
  if (normalOnly && conformalRank(set.items.length, falseAlarmRate) > set.items.length)
    conformalThreshold(new Array<number>(set.items.length).fill(0), falseAlarmRate);
  const { addon } = engine.trainingParts;
  const settings = engine.settings(compared);
  const ranges = rangesOf(settings);
  const prompts = await comparedWith(engine, settings);
  const { identity, learnedOn } = await identify({ set, name: set.name }, prompts, () => {}, signal);
  const { maxPixels = defaultOf('maxPixels') } = engine.trainingParts;
  const ahead = await lookAhead(set, { maxPixels, reading: settings.reading, signal });
  const levels = normalOnly ? undefined : addon.createMapLevels(k_mapLevels, ...ranges.map);
  const { scored, failed, label, warnings, equal } = await scoreAll(set, options, levels);
  if (equal && normalOnly && !allowEqualScores) throw equalScoresError(data, equal);
  const anomalous = scored.filter(({ isAnomalous }) => isAnomalous);
  const common = {
    settings: label,
    date: new Date().toISOString(),
    prompts: prompts && { name: prompts.name, sha256: prompts.sha256, learnedOn: prompts.learnedOn },
    data: { name: set.name, split: set.split, hash: identity.hash },
    pictures: {
      normal: scored.length - anomalous.length,
      anomalous: anomalous.length,
      withMask: anomalous.filter(({ hasLevels }) => hasLevels).length,
      failed: failed.length,
    },
    learnedOn: learnedOn?.detail ?? null,
  };
  const calibration: Calibration = !levels
    ? {
        ...common,
        rule: 'false-alarm-rate',
        falseAlarmRate,
        ...falseAlarmThresholds(scored, falseAlarmRate, ranges),
      }
    : { ...common, rule: 'best-f1', ...(await bestThresholds(scored, equal, levels, addon)) };
  return { calibration, failed, scan: set.scan, warnings: [...set.warnings, ...ahead, ...warnings] };
}

/** See checkOptions. @throws CraneError E_USAGE */
function checkCalibrateOptions(given: CalibrateOptions): CalibrateOptions {
  const options = checkOptions('calibrate', given ?? null);
  const { engine, data } = options;
  if (typeof engine?.settings !== 'function') throw wrongValue('an engine of loadEngine', 'engine', engine);
  if (typeof data !== 'string' || data === '') throw wrongValue('a path', 'data', data);
  return options;
}

function falseAlarmThresholds(scored: readonly Scored[], rate: number, ranges: ReturnType<typeof rangesOf>) {
  return {
    image: conformalThreshold(
      scored.map(({ score }) => score),
      rate,
      { what: 'scores', highest: ranges.score[1] },
    ),
    map: conformalThreshold(
      scored.map(({ mapMax }) => mapMax),
      rate,
      { what: 'map maxima', highest: ranges.map[1] },
    ),
  };
}

async function bestThresholds(
  scored: readonly Scored[],
  equal: EqualScores | undefined,
  levels: NativeMapLevels,
  addon: NativeAddon,
): Promise<{ image: BestF1Threshold; map: BestF1Threshold | null }> {
  const anomalous = scored.filter(({ isAnomalous }) => isAnomalous).length;
  if (anomalous === 0 || anomalous === scored.length) {
    throw new CraneError(
      'E_DATA_ONE_CLASS',
      `all ${scored.length} pictures that could be scored are ${anomalous > 0 ? 'anomalous' : 'normal'}; a best F1 needs both`,
    );
  }
  if (equal) {
    throw new CraneError('E_CALIBRATE_SCORES', `${equal.message}; no threshold parts them`, {
      hint: 'look at the pictures: npx crane-native data check; else other prompts or settings are needed',
    });
  }
  const [image, map] = await Promise.all([
    bestF1OfScores(scored, k_bootstraps.image, addon),
    bestF1OfMaps(levels, k_bootstraps.map),
  ]);
  return { image: image!, map: map ?? null };
}

async function scoreAll(
  set: DataSet,
  { engine, normals, signal, onProgress }: CalibrateOptions,
  levels: NativeMapLevels | undefined,
): Promise<{
  scored: Scored[];
  failed: FailedPicture[];
  label: string;
  warnings: string[];
  equal: EqualScores | undefined;
}> {
  const { items } = set;
  const scored: Scored[] = [];
  const failed: FailedPicture[] = [];
  const odd = new NoteTally();
  const watch = new ScoreWatch();
  let label: string | undefined;
  const inputs = items.map(({ image, imagePath }) => ({ input: image, name: imagePath }));
  // Thresholds hold for one name: those of several classes would be of none.
  const compared = normals === undefined ? {} : { normals };
  checkClassName(engine.settings(compared));
  await engine.settledSettings(compared);
  const how = { ...compared, map: true, ...(signal ? { signal } : {}) };
  for await (const outcome of engine.scoreMany(inputs, how)) {
    const item = items[outcome.index]!;
    if (isFailed(outcome)) failed.push(outcome);
    else {
      label ??= outcome.model;
      const notes = [...(outcome.warnings ?? [])];
      watch.add({ score: outcome.score, file: item.image, notes: outcome.warnings ?? [] });
      try {
        const described = describe(item, outcome, engine, levels, (note) => notes.push(note));
        scored.push(await orCancelled(described, signal));
      } catch (thrown) {
        const error = toCraneError(thrown);
        // faults of the picture or its mask; all others end the calibration
        if (error.exitCode !== 3) throw thrown;
        failed.push({ input: item.imagePath, index: outcome.index, error: error.toJSON() });
      }
      odd.add(item.imagePath, notes);
    }
    onProgress?.(scored.length + failed.length, items.length);
  }
  if (label === undefined || scored.length === 0) {
    throw new CraneError('E_INPUTS_FAILED', `none of the ${items.length} pictures could be scored`, {
      hint: failed[0] && `the first: ${failed[0].input}: ${failed[0].error.message}`,
    });
  }
  return { scored, failed, label, warnings: odd.lines(), equal: await watch.look() };
}

async function describe(
  item: DataItem,
  { score, map, mapMax = Number.NaN, width, height }: PictureScore,
  engine: Engine,
  levels: NativeMapLevels | undefined,
  onNote: (note: PictureNote) => void,
): Promise<Scored> {
  const { image, imagePath, isAnomalous, masks } = item;
  if (!Number.isFinite(mapMax) || !Number.isFinite(score)) {
    throw new CraneError('E_IMAGE_NONFINITE', `${imagePath}: its score or its map is not a number`);
  }
  const isKnown = !isAnomalous || masks.length > 0;
  if (!levels || !isKnown) return { name: imagePath, isAnomalous, score, mapMax, hasLevels: false };
  let known: Uint8Array | null = null;
  if (isAnomalous) {
    const mask = await maskOfPicture(
      item,
      { path: image, width, height },
      {
        exif: engine.settings().reading.exif,
        maskGrey: engine.settings().reading.maskGrey,
        maxPixels: engine.trainingParts.maxPixels ?? defaultOf('maxPixels'),
        onNote,
        pixels: engine.addon,
      },
    );
    known = await engine.addon.resizeMask(mask, map!.width, map!.height);
  }
  await levels.add(map!.data, known, isAnomalous);
  return { name: imagePath, isAnomalous, score, mapMax, hasLevels: true };
}
