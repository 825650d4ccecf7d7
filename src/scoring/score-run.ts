/** What `score` does with an engine: lists pictures, scores them, writes everything that was asked for. */
import { resolve } from 'node:path';
import { types } from 'node:util';
import { lookedAt } from '../engine/area-of.js';
import type { Engine } from '../engine/engine.js';
import { checkClassName } from '../engine/method-choice.js';
import { type FailedPicture, isFailed } from '../engine/result.js';
import { ScoreWatch } from '../engine/score-watch.js';
import { CraneError } from '../errors.js';
import { NoteTally } from '../images/note-tally.js';
import { joinsBank, needsBank } from '../methods/registry.js';
import type { PictureChoices } from '../options/types.js';
import { ScanAccount } from '../scan/scan-account.js';
import { type OutPlace, openOut } from '../sinks/out-place.js';
import { toResultLine } from '../sinks/result-line.js';
import type { ResultsFile } from '../sinks/results-file.js';
import type { RowKind } from '../sinks/row-kind.js';
import { areScanned, k_stdin } from '../sources/list-inputs.js';
import type { OwnChoices } from '../sources/manifest.js';
import { ownText } from '../sources/manifest-pictures.js';
import { isRemote } from '../stores/open-store.js';
import { driftWarning } from './drift.js';
import { checkEarlier, checkPeaks, kindOfRun } from './earlier-rows.js';
import { keepFileFlags, removeFileFlags } from './file-flags.js';
import { checkOutlined, noThreshold, type OfPicture, writeFiles } from './picture-files.js';
import { countTotal, pickItems, type RunPicture } from './run-inputs.js';
import type { ScoreRun, ScoreRunOptions, ScoreRunOutcome } from './run-types.js';

/** Faults of the options together, before anything is loaded. @throws CraneError E_USAGE */
export function checkScoreRun(
  { out, maps, heatmaps, outlines, resume, shard }: ScoreRunOptions,
  inputs: readonly string[],
): void {
  const needsOut = maps
    ? '--maps'
    : heatmaps
      ? '--heatmaps'
      : outlines
        ? `--format ${outlines}`
        : resume
          ? '--resume'
          : undefined;
  const made = heatmaps ? '--heatmaps' : maps ? '--maps' : undefined;
  const same = inputs.find((input) => out !== undefined && resolve(input) === resolve(out));
  if (made && same !== undefined) {
    throw new CraneError('E_USAGE', `${made} would put its files among the pictures of ${same}`, {
      hint: 'where they would be pictures of the next run: choose another --out',
    });
  }
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
  // Before the first picture: none could succeed. Rows of a manifest may have classes of their own.
  if (options.manifest === undefined) checkClassName(engine.settings(choices));
  const { threshold, mapThreshold, model } = await judgedBy(engine, options, choices);
  const outcome: ScoreRunOutcome = {
    scored: 0,
    failed: 0,
    skipped: 0,
    earlier: { scored: 0, failed: 0, anomalous: 0 },
    isStopped: false,
    hasMapThreshold: true,
    anomalous: null,
    scan: null,
    background: undefined,
    warnings: [],
    label: model,
    thresholds: { threshold: null, mapThreshold: null },
    listed: null,
    results: null,
    publish: async () => [],
    own: {},
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
  if (options.outlines && mapThreshold === null && options.manifest === undefined)
    throw noThreshold(`--format ${options.outlines}`);
  const now = kindOfRun(options, { model, threshold, mapThreshold });
  const out =
    options.out === undefined ? undefined : await openResults(options.out, now, mapThreshold, options);
  const results = out?.results;
  const writesFiles = options.maps !== undefined || options.heatmaps || options.outlines === 'labelme';
  const places = new Map<number, RunPicture>();
  const tellTotal = run.onTotal ? await countTotal(run, run.onTotal) : () => {};
  const regionsBeginAt = async (own: OwnChoices | undefined) =>
    own && options.outlines
      ? (await engine.settledSettings({ ...choices, ...own })).mapThreshold
      : mapThreshold;
  try {
    const kept = writesFiles ? await out!.kept() : undefined;
    const kindOf = async (own: OwnChoices | undefined) =>
      own ? kindOfRun(options, await judgedBy(engine, options, { ...choices, ...own })) : now;
    const items = pickItems(run, { results, kept, places, outcome, account, tellTotal, kindOf });
    for await (const scored of engine.scoreMany(items, {
      map: options.maps !== undefined || options.outlines !== undefined,
      mapSize: options.mapSize,
      regions: options.regions || options.outlines !== undefined,
      heatmap: options.heatmaps,
      heatmapFormat: options.heatmapFormat,
      ...(options.heatmapRange ? { heatmapRange: options.heatmapRange } : {}),
      batch: options.batch,
      onProgress: ({ done, total }) => run.onPart?.(done, total),
      ...(options.roi ? { roi: options.roi } : {}),
      ...(options.ignore === undefined ? {} : { ignore: options.ignore }),
      ...choices,
    })) {
      const listed = places.get(scored.index)!;
      places.delete(scored.index);
      if (isFailed(scored) && listed.own === undefined) refuseSettings(scored);
      const { files, outlines }: OfPicture = isFailed(scored)
        ? { files: {} }
        : await writeFiles(out, options, scored, listed, await regionsBeginAt(listed.own));
      const line = toResultLine(scored, files, options.timings, outlines);
      await results?.append(line);
      await writer.write(line);
      if (isFailed(scored)) outcome.failed++;
      else {
        outcome.scored++;
        if (listed.own) outcome.own[ownText(listed.own)] = scored.model;
        if (choices.normals !== undefined) compared.push(scored.score);
        if (outcome.anomalous !== null && scored.anomalous) outcome.anomalous++;
        odd.add(scored.input, scored.warnings ?? []);
        if (scored.backgroundPatches !== undefined) {
          outcome.background ??= { patches: 0, whole: 0 };
          outcome.background.patches += scored.backgroundPatches;
          if (scored.backgroundPatches === 0) outcome.background.whole++;
        }
        const { input } = listed;
        const file = typeof input === 'string' || types.isUint8Array(input) ? input : undefined;
        watch.add({ score: scored.score, file, notes: scored.warnings ?? [] });
      }
      run.onResult();
    }
    outcome.isStopped = stop.aborted;
    if (results) {
      const { scored, failed, anomalous } = results.earlier;
      outcome.earlier = { scored, failed, anomalous };
    }
    if (options.manifest === undefined && (await areScanned(run.inputs))) outcome.scan = account.report();
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
  if (!outcome.isStopped && out) {
    outcome.results = out.results.path;
    outcome.publish = async (more) => {
      const made = await out.publish(more);
      // What is in a store is gone on with wherever the same command runs: there these are not known.
      if (isRemote(options.out!)) await removeFileFlags(out.results);
      return made;
    };
  }
  return outcome;
}

/** Of the towers alone it depends, and not on the picture, whether settings fit: no other would succeed. @throws CraneError E_MODEL_CONFIG */
function refuseSettings({ error: { code, message, hint } }: FailedPicture): void {
  if (code === 'E_MODEL_CONFIG') throw new CraneError(code, message, { hint });
}

function isPart({ roi, ignore }: ScoreRunOptions): boolean {
  return roi !== undefined || ignore !== undefined;
}

/** The label and the thresholds of rows of these choices. */
async function judgedBy(engine: Engine, options: ScoreRunOptions, choices: PictureChoices) {
  const settings = engine.settings(choices);
  // Rows of a manifest bring their banks; one that has none fails alone.
  const isOfRows = options.manifest !== undefined && choices.normals === undefined;
  if (isOfRows && (needsBank(settings.method) || joinsBank(settings.method)))
    return { ...settings, model: engine.facts.model };
  const { threshold, mapThreshold } = await engine.settledSettings(choices);
  const model = await engine.labelOf(choices, isPart(options) ? lookedAt(options) : undefined);
  return { threshold, mapThreshold, model };
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

function openResults(
  address: string,
  now: RowKind,
  mapThreshold: number | null,
  options: ScoreRunOptions,
): Promise<OutPlace> {
  const { shard, resume, force, table, manifest, outlines } = options;
  const accept = async (results: ResultsFile) => {
    const { path, earlier } = results;
    // Rows of a manifest may have choices of their own, and are looked at one by one.
    if (manifest === undefined) {
      for (const kind of earlier.kinds) checkEarlier(path, kind, now);
      checkPeaks(path, earlier.lowestPeak, mapThreshold);
    }
    if (resume && outlines) await checkOutlined(`${path}.partial`, outlines);
    await keepFileFlags(results, options, mapThreshold);
  };
  return openOut(address, { shard, resume, overwrite: force, table, accept });
}
