/** What `score` does with an engine: lists pictures, scores them, writes everything that was asked for. */

import { join, resolve } from 'node:path';
import { types } from 'node:util';
import type { Engine } from '../engine/engine.js';
import { checkClassName } from '../engine/method-choice.js';
import type { PictureItem } from '../engine/picture-item.js';
import { isFailed, type PictureScore } from '../engine/result.js';
import { type EqualScores, ScoreWatch } from '../engine/score-watch.js';
import { CraneError } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import { NoteTally } from '../images/note-tally.js';
import type { DataChoices, PictureChoices, ScoreCommandOptions } from '../options/types.js';
import { ScanAccount, type ScanReport } from '../scan/scan-account.js';
import { keptFiles } from '../sinks/kept-files.js';
import { mapEnding, mapFile } from '../sinks/map-file.js';
import { OutputNames } from '../sinks/output-names.js';
import { toResultLine, type WrittenFiles } from '../sinks/result-line.js';
import type { ResultWriter } from '../sinks/result-writer.js';
import { ResultsFile } from '../sinks/results-file.js';
import { areScanned, countInputs, k_stdin, type ListedPicture, listInputs } from '../sources/list-inputs.js';
import { driftWarning } from './drift.js';
import { type ListedInputs, Listing, type Shard, shardOf } from './shards.js';

/** The score command's own options: those with a default always set, the others perhaps. */
export type ScoreRunOptions = Partial<
  Pick<ScoreCommandOptions, 'limit' | 'shard' | 'out' | 'maps' | 'includeMasks' | 'heatmapRange'>
> &
  Pick<DataChoices, 'followLinks'> &
  Pick<PictureChoices, 'normals' | 'falseAlarmRate' | 'threshold' | 'mapThreshold'> &
  Pick<
    ScoreCommandOptions,
    'recursive' | 'resume' | 'failOnAnomaly' | 'mapSize' | 'heatmaps' | 'heatmapFormat' | 'timings' | 'force'
  > & {
    regions: boolean;
    batch: 'auto' | number;
    maxPixels: number;
  };

export interface ScoreRun {
  engine: Engine;
  inputs: readonly string[];
  options: ScoreRunOptions;
  writer: ResultWriter;
  stdin: AsyncIterable<Uint8Array | string>;
  /** when it fires, what is in flight is finished and saved, and nothing new begins */
  stop: AbortSignal;
  /** called after each picture */
  onResult: () => void;
  /** called with the number of pictures that this run will score, once that is known and as it changes */
  onTotal?: (count: number) => void;
}

export interface ScoreRunOutcome {
  scored: number;
  failed: number;
  skipped: number;
  isStopped: boolean;
  hasMapThreshold: boolean;
  /** null: there was no threshold to tell by */
  anomalous: number | null;
  /** what was found and left out; null: every input was named, and nothing was looked for */
  scan: ScanReport | null;
  /** what was odd about pictures that were scored, a sentence for each kind */
  warnings: string[];
  /** of the model with all that decides a score */
  label: string;
  thresholds: { threshold: number | null; mapThreshold: number | null };
  /** of the whole listing; null: it was not followed to its end (stopped, or --limit) */
  listed: ListedInputs | null;
  /** path of the complete results, with --out */
  results: string | null;
  /** where all have one score */
  equal: EqualScores | undefined;
}

/** Faults of the options together, before anything is loaded. @throws CraneError E_USAGE */
export function checkScoreRun(
  { out, maps, heatmaps, resume, shard }: ScoreRunOptions,
  inputs: readonly string[],
): void {
  const needsOut = maps ? '--maps' : heatmaps ? '--heatmaps' : resume ? '--resume' : undefined;
  if (needsOut && out === undefined) {
    throw new CraneError('E_USAGE', `${needsOut} needs a folder for its files`, { hint: 'add --out FOLDER' });
  }
  if (inputs.filter((input) => input === k_stdin).length > 1)
    throw new CraneError('E_USAGE', 'standard input (-) was given twice');
  if (shard && inputs.includes(k_stdin) && resume) {
    throw new CraneError(
      'E_USAGE',
      '--shard with --resume needs inputs that can be listed again, not standard input',
    );
  }
}

export async function runScore(run: ScoreRun): Promise<ScoreRunOutcome> {
  const { engine, options, writer, stop } = run;
  const choices = comparedWith(options);
  // Before the first picture: none could succeed.
  checkClassName(engine.settings(choices));
  const { threshold, mapThreshold } = await engine.settledSettings(choices);
  const outcome: ScoreRunOutcome = {
    scored: 0,
    failed: 0,
    skipped: 0,
    isStopped: false,
    hasMapThreshold: true,
    anomalous: null,
    scan: null,
    warnings: [],
    label: await engine.labelOf(comparedWith(options)),
    thresholds: { threshold: null, mapThreshold: null },
    listed: null,
    results: null,
    equal: undefined,
  };
  const account = new ScanAccount();
  /** scores against a bank */
  const compared: number[] = [];
  const odd = new NoteTally();
  const watch = new ScoreWatch();
  outcome.hasMapThreshold = mapThreshold !== null;
  outcome.thresholds = { threshold, mapThreshold };
  if (threshold !== null) outcome.anomalous = 0;
  else if (options.failOnAnomaly) {
    throw new CraneError(
      'E_USAGE',
      '--fail-on-anomaly needs a threshold to tell by, and these settings have none',
      {
        hint: 'give --threshold, calibrate, or compare with normal pictures at a --false-alarm-rate',
      },
    );
  }
  const results =
    options.out === undefined ? undefined : await openResults(options.out, outcome.label, options);
  const places = new Map<number, Listed>();
  const tellTotal = run.onTotal ? await countTotal(run, run.onTotal) : () => {};
  try {
    const items = pickItems(run, results, { places, outcome, account, tellTotal });
    for await (const scored of engine.scoreMany(items, {
      map: options.maps !== undefined,
      mapSize: options.mapSize,
      regions: options.regions,
      heatmap: options.heatmaps,
      heatmapFormat: options.heatmapFormat,
      ...(options.heatmapRange ? { heatmapRange: options.heatmapRange } : {}),
      batch: options.batch,
      ...choices,
    })) {
      const listed = places.get(scored.index)!;
      places.delete(scored.index);
      const files = isFailed(scored) ? {} : await writeFiles(options, scored, listed.stem);
      const line = toResultLine(scored, files, options.timings);
      await results?.append(line);
      await writer.write(line);
      if (isFailed(scored)) outcome.failed++;
      else {
        outcome.scored++;
        if (choices.normals !== undefined) compared.push(scored.score);
        if (outcome.anomalous !== null && scored.anomalous) outcome.anomalous++;
        odd.add(scored.input, scored.warnings ?? []);
        const { input } = listed;
        const file = typeof input === 'string' || types.isUint8Array(input) ? input : undefined;
        watch.add({ score: scored.score, file, notes: scored.warnings ?? [] });
      }
      run.onResult();
    }
    outcome.isStopped = stop.aborted;
    if (await areScanned(run.inputs)) outcome.scan = account.report();
    outcome.warnings = odd.lines();
    outcome.equal = await watch.look();
    const drift = compared.length > 0 ? await driftWarning(engine, choices, compared) : undefined;
    if (drift !== undefined) outcome.warnings.push(drift);
    await writer.end();
  } catch (thrown) {
    // What is told is why the run ended, not that its end could not be saved either.
    await writer.end().catch(() => {});
    await results?.interrupt().catch(() => {});
    throw thrown;
  }
  await (outcome.isStopped ? results?.interrupt() : results?.complete());
  if (!outcome.isStopped) outcome.results = results?.path ?? null;
  return outcome;
}

/** What of the options is given to each call. */
function comparedWith({ normals, falseAlarmRate, threshold, mapThreshold }: ScoreRunOptions) {
  return {
    ...(threshold === undefined ? {} : { threshold }),
    ...(mapThreshold === undefined ? {} : { mapThreshold }),
    ...(normals === undefined ? {} : { normals }),
    ...(falseAlarmRate === undefined ? {} : { falseAlarmRate }),
  };
}

/** Listing is quick beside scoring, so the bar may know its end from the start. */
async function countTotal(
  { inputs, options }: ScoreRun,
  onTotal: (count: number) => void,
): Promise<(skipped: number) => void> {
  const { shard, limit = Number.POSITIVE_INFINITY } = options;
  const mine = await countInputs(inputs, scanOptions(options), ({ name }) => isOf(shard, name));
  if (mine === undefined) return () => {};
  const tell = (skipped: number) => onTotal(Math.min(limit, mine - skipped));
  tell(0);
  return tell;
}

function isOf(shard: Shard | undefined, name: string): boolean {
  return shard === undefined || shardOf(name, shard.count) === shard.index;
}

function scanOptions({ recursive, out, followLinks = false, includeMasks = false }: ScoreRunOptions) {
  // Our own heat maps are no inputs.
  return { recursive, followLinks, includeMasks, exclude: out === undefined ? [] : [resolve(out)] };
}

async function openResults(out: string, label: string, options: ScoreRunOptions): Promise<ResultsFile> {
  const { shard, resume, force } = options;
  const results = await ResultsFile.open(out, { shard, resume, overwrite: force });
  if (results.model !== undefined && results.model !== label) {
    await results.interrupt();
    throw new CraneError(
      'E_USAGE',
      `${results.path}: its results come from ${results.model}, this run is ${label}`,
      {
        hint: 'scores of different settings do not belong in one file: choose another --out or the earlier settings',
      },
    );
  }
  return results;
}

interface Listed extends ListedPicture {
  /** path without ending, below the output folder */
  stem: string;
}

interface Picking {
  /** of the pictures in flight */
  places: Map<number, Listed>;
  outcome: ScoreRunOutcome;
  account: ScanAccount;
  tellTotal: (skipped: number) => void;
}

/** The inputs of this shard that have no result yet. Indexes and names count all inputs, so that shards agree. */
async function* pickItems(
  { inputs, options, stdin, stop }: ScoreRun,
  results: ResultsFile | undefined,
  { places, outcome, account, tellTotal }: Picking,
): AsyncGenerator<PictureItem> {
  const { shard, limit = Number.POSITIVE_INFINITY } = options;
  const writesFiles = options.maps !== undefined || options.heatmaps;
  const names = new OutputNames(
    writesFiles ? await keptFiles(options.out!, options.resume ? undefined : results!.path) : undefined,
  );
  const listing = new Listing();
  let index = -1;
  let begun = 0;
  for await (const listed of listInputs(inputs, { ...scanOptions(options), account, stdin })) {
    if (stop.aborted) return;
    index++;
    const stem = writesFiles ? names.claim(listed.place, listed.name) : '';
    listing.add(listed.name);
    if (!isOf(shard, listed.name)) continue;
    if (results?.takeDone(listed.name)) {
      outcome.skipped++;
      tellTotal(outcome.skipped);
      continue;
    }
    if (begun === limit) return;
    begun++;
    places.set(index, { ...listed, stem });
    yield { input: listed.input, name: listed.name, index };
  }
  outcome.listed = listing.close();
}

/** Maps and heat maps of one picture; returns their names below the output folder. */
async function writeFiles(
  { out, maps, heatmapFormat, force, resume }: ScoreRunOptions,
  { map, heatmap }: PictureScore,
  stem: string,
): Promise<WrittenFiles> {
  const overwrite = force || resume;
  const files: WrittenFiles = {};
  if (maps && map) {
    files.map = `${stem}${mapEnding[maps]}`;
    await writeWhole(join(out!, files.map), await mapFile(map, maps), { overwrite });
  }
  if (heatmap) {
    files.heatmap = `${stem}.heat.${heatmapFormat}`;
    await writeWhole(join(out!, files.heatmap), heatmap, { overwrite });
  }
  return files;
}
