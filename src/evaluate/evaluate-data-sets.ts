/** evaluateDataSets: the figures of a model on labelled pictures, with everything that tables and reports need. */
import { join } from 'node:path';
import { lookAhead } from '../data/check/look-ahead.js';
import { summarise, summaryLines } from '../data/summary.js';
import type { Engine } from '../engine/engine.js';
import { idleNotes } from '../engine/idle-settings.js';
import { CraneError, type ErrorCode, toCraneError } from '../errors.js';
import { cacheFolder } from '../files/cache-folder.js';
import { loadOptional } from '../files/optional-packages.js';
import { recordedReading } from '../images/reading.js';
import { couplesPictures, mapColours, methodOf, needsSource, needsWholeClass } from '../methods/registry.js';
import { checkOptions, checkPath, wrongValue } from '../options/check.js';
import type { PictureChoices, TestChoices } from '../options/types.js';
import { canonicalJson } from '../runs/canonical-json.js';
import { identify } from '../runs/data-identity.js';
import { refuseEqualScores } from '../runs/equal-scores.js';
import { Journal } from '../runs/journal.js';
import { type Machine, thisMachine } from '../runs/machine.js';
import { comparedWith, type PromptFacts, promptPath, testedNormals } from '../runs/prompt-facts.js';
import { readTestRun } from '../runs/read-run.js';
import { checkSame, type TestFingerprint, weightsOf } from '../runs/test-fingerprint.js';
import { type TestRun, type TestSettings, unscored } from '../runs/test-run.js';
import { readTimes, writeRecord } from '../runs/training-record.js';
import { versionsOf } from '../runs/versions.js';
import { assembleRun, type FinishedSet } from './assemble.js';
import type { FinishedClass } from './finished-class.js';
import { mapsOf, removeMaps } from './kept-maps.js';
import {
  checkMutualClasses,
  isMutual,
  mutualWarnings,
  scoredByEachOther,
  settledFor,
} from './mutual-class.js';
import { Panels } from './panels.js';
import { type ClassWork, scoreClass } from './score-class.js';
import { type ResolvedTest, resolveTest, testSettings } from './settings.js';
import { shownInAll } from './shown-pictures.js';
import { openTestData, type TestData } from './test-data.js';
import { TestFolder } from './test-folder.js';

/** Points of a curve and bins of a histogram: enough for a screen. */
const k_curvePoints = 300;
const k_histogramBins = 100;

export interface EvaluateDataSetsOptions extends TestChoices, Omit<PictureChoices, 'falseAlarmRate'> {
  /** stays open; it must not be disposed meanwhile */
  engine: Engine;
  /** data sets: roots or meta.json files */
  data: string | readonly string[];
  /** folder for tables, results and the maps of examples; without it nothing is written and no map is kept */
  out?: string;
  /** go on with what an earlier run saved in `out`; start where there is nothing */
  resume?: boolean;
  /** take an earlier test in `out` away */
  force?: boolean;
  /** fires: what has begun is finished and saved, and the test ends with E_CANCELLED */
  signal?: AbortSignal;
  onProgress?: (progress: TestProgress) => void;
}

export type TestProgress =
  | /** a sentence worth knowing, told once */ { stage: 'note'; text: string }
  | /** pictures and masks are identified by content */ { stage: 'reading'; done: number; total: number }
  | {
      stage: 'scoring';
      done: number;
      total: number;
      /** of `done`, scored by an earlier process */
      kept: number;
      dataSet: string;
      className: string;
    };

/**
 * Scores every picture as `engine.score` does, with the model's map and the mask in the map's size, and computes the figures
 * of each class exactly. A picture that cannot be scored is in no figure; the run names it. Memory holds the metrics of one
 * class (docs/metrics.md).
 * @throws CraneError E_USAGE, E_EXISTS, E_DATA_*, E_PROMPTS, E_MODEL_CONFIG, E_TEST_RESUME, E_CANCELLED, E_IO_*;
 *   E_SCORES_EQUAL at the end, when everything is written, unless `allowEqualScores`
 */
export async function evaluateDataSets(options: EvaluateDataSetsOptions): Promise<TestRun> {
  const own = checkOptions('evaluateDataSets', options ?? null);
  const run = await evaluateIn(own, process.env);
  if (!own.allowEqualScores) await refuseEqualScores(run);
  return run;
}

/** What commands want beside the figures. */
export interface EvaluateExtras {
  /** keep the maps that runs are compared by, too */
  keepsShown?: boolean;
  /** folder for a panel of every picture */
  panels?: string | undefined;
}

/** As evaluateDataSets, in surroundings of the caller's, and with equal scores too. */
export async function evaluateIn(
  options: EvaluateDataSetsOptions,
  env: NodeJS.ProcessEnv,
  { keepsShown = false, panels }: EvaluateExtras = {},
): Promise<TestRun> {
  const {
    engine,
    data,
    out,
    resume = false,
    force = false,
    signal,
    onProgress = () => {},
    ...given
  } = checkOptions('evaluateDataSets', options ?? null);
  const paths = typeof data === 'string' ? [data] : Array.isArray(data) ? [...(data as string[])] : [];
  if (paths.length === 0) throw wrongValue('a path or a list of paths', 'data', data);
  for (const path of paths) checkPath('data', path);
  if (out !== undefined) checkPath('out', out);
  if (typeof engine?.settings !== 'function') throw wrongValue('an engine of loadEngine', 'engine', engine);
  const folder = out === undefined ? undefined : new TestFolder(out);
  await folder?.checkFree({ resume, force });
  if (panels !== undefined) await Panels.checkFree(panels, { resume, force });
  const prompts = await promptPath(given.prompts, given.preset);
  const resolved = resolveTest(
    { ...given, ...(prompts === undefined ? {} : { prompts }) },
    methodOf(engine.settings(given.method === undefined ? {} : { method: given.method }).method),
  );
  // Not after an hour of scoring.
  if (folder) await loadTables();
  if (folder && resolved.report) await loadReport();
  const test = await prepare(engine, paths, resolved, { signal, onProgress, env, keepsShown, panels });
  if (!folder) return (await evaluate(test, { signal, onProgress })) ?? stopped(test, undefined);
  if (force && !resume) await folder.clear();
  return inFolder(test, folder, resume, { signal, onProgress });
}

/** Tables and pages need packages that not every installation has (docs/packages.md). */
const loadTables = () =>
  loadOptional(
    'writing the tables of a test',
    ['cli-table3', 'csv-stringify'],
    () => import('./outputs/write-outputs.js'),
  );
const loadReport = () =>
  loadOptional(
    'the report of a test',
    ['d3-scale', 'd3-shape'],
    () => import('../pages/report/write-report.js'),
  );

interface Surroundings {
  signal: AbortSignal | undefined;
  onProgress: (progress: TestProgress) => void;
}

interface PreparedTest {
  engine: Engine;
  paths: string[];
  resolved: ResolvedTest;
  prompts: PromptFacts | null;
  settings: TestSettings;
  machine: Machine;
  data: { opened: TestData; learnedOn: FinishedSet['learnedOn'] }[];
  pictures: number;
  fingerprint: TestFingerprint;
  keepsShown: boolean;
  panels: string | undefined;
}

async function prepare(
  engine: Engine,
  paths: string[],
  resolved: ResolvedTest,
  {
    signal,
    onProgress,
    env,
    keepsShown,
    panels,
  }: Surroundings & Pick<PreparedTest, 'keepsShown' | 'panels'> & { env: NodeJS.ProcessEnv },
): Promise<PreparedTest> {
  const { addon, native, model } = engine.trainingParts;
  const settled = await settledFor(engine, resolved.choices);
  const prompts = await comparedWith(engine, settled);
  const normals = await testedNormals(engine, settled);
  const settings = testSettings(engine, resolved, settled, prompts, normals);
  const { method } = settings;
  for (const text of idleNotes(resolved.given, settled)) onProgress({ stage: 'note', text });
  if (needsSource(method) && !model.source) {
    throw new CraneError('E_MODEL_CONFIG', `${model.name} has no spatial source, and D-Attn needs one`, {
      hint: 'take --model crane+, or leave D-Attn off: --no-d-attn',
    });
  }
  const opened = await openTestData(paths, resolved);
  for (const text of summaryLines(summarise(opened.map(({ set, name }) => ({ ...set, name })))))
    onProgress({ stage: 'note', text });
  if (isMutual(method)) {
    checkMutualClasses(opened);
    for (const text of opened.flatMap((one) => mutualWarnings(labelledIn(one), method)))
      onProgress({ stage: 'note', text });
  }
  const pictures = opened.reduce((sum, { set }) => sum + set.items.length, 0);
  let read = 0;
  const onRead = () => onProgress({ stage: 'reading', done: ++read, total: pictures });
  const data: PreparedTest['data'] = [];
  const identities = [];
  const { maxPixels, reading } = { ...engine.trainingParts, ...settled };
  for (const one of opened) {
    const ahead = await lookAhead(one.set, { maxPixels, reading, signal }).catch(notBegun);
    for (const line of ahead) onProgress({ stage: 'note', text: `${one.name}: ${line}` });
    one.set.warnings.push(...ahead);
    const { identity, learnedOn } = await identify(one, prompts, onRead, signal).catch(notBegun);
    identities.push(identity);
    data.push({ opened: one, learnedOn });
  }
  const machine = await thisMachine(addon, native.facts);
  const { model: _label, ...ofFigures } = settings;
  const fingerprint: TestFingerprint = {
    format: 1,
    versions: versionsOf(machine),
    machine,
    ...(await weightsOf(model, needsSource(method), join(await cacheFolder(env), 'features'))),
    settings: ofFigures,
    batch: couplesPictures(settings) ? resolved.batch : null,
    keepMaps: resolved.keepMaps,
    ...(panels === undefined ? {} : { panels: true as const }),
    comparePaper: resolved.comparePaper,
    data: identities,
  };
  return {
    engine,
    paths,
    resolved,
    prompts,
    settings,
    machine,
    data,
    pictures,
    fingerprint,
    keepsShown,
    panels,
  };
}

function notBegun(thrown: unknown): never {
  const error = toCraneError(thrown);
  if (error.code !== 'E_CANCELLED') throw error;
  throw new CraneError('E_CANCELLED', 'interrupted before a picture was scored', {
    hint: 'start the same command again',
    cause: thrown,
  });
}

/** With everything kept in a folder, so that the run can be gone on with. */
async function inFolder(
  test: PreparedTest,
  folder: TestFolder,
  resume: boolean,
  surroundings: Surroundings,
): Promise<TestRun> {
  const earlier = await folder.readRecord();
  // Another process came since the folder was looked at.
  if (earlier && !resume) throw folder.isTaken();
  if (earlier) checkSame(test.fingerprint, earlier['made'], folder.path);
  const times = await readTimes(folder.record);
  const startedAt = times?.startedAt ?? new Date().toISOString();
  const began = performance.now();
  // Whoever writes the record first has the folder: two tests at once would mix their files.
  let isOurs = earlier !== undefined;
  const write = (
    status: string,
    more: { error?: { code: ErrorCode; message: string }; failed?: number } = {},
  ) =>
    writeRecord(
      folder.record,
      {
        format: 1,
        kind: 'test',
        status,
        ...more,
        options: { data: test.paths },
        data: test.data.map(({ opened: { name, set } }) => ({ name, layout: set.layout, scan: set.scan })),
        made: JSON.parse(canonicalJson(test.fingerprint)) as unknown,
        pictures: test.pictures,
        batch: test.engine.passSize(test.resolved.batch, couplesPictures(test.settings)),
        startedAt,
        seconds: (times?.seconds ?? 0) + (performance.now() - began) / 1000,
      },
      isOurs,
    );
  await write('running').catch((thrown: unknown) => {
    throw toCraneError(thrown).code === 'E_EXISTS' ? folder.isTaken() : thrown;
  });
  isOurs = true;
  await folder.removeLeft();
  try {
    const run = earlier?.['status'] === 'complete' ? await completeRun(folder) : undefined;
    const finished = run ?? (await scoreInFolder(test, folder, surroundings));
    if (!finished) stopped(test, folder);
    const { writeOutputs } = await loadTables();
    await writeOutputs(folder, finished);
    if (test.resolved.report) {
      const { writeReport } = await loadReport();
      const { addon } = test.engine;
      await writeReport(finished, { folder: folder.path, addon, overwrite: true });
    }
    await write('complete', { failed: unscored(finished).length });
    await folder.removeState();
    return finished;
  } catch (thrown) {
    const { code, message } = toCraneError(thrown);
    const status = code === 'E_CANCELLED' ? 'interrupted' : 'failed';
    // What is told is why the run ended, not that its record could not be written either.
    await write(status, { error: { code, message } }).catch(() => {});
    throw thrown;
  }
}

/** Its tables are written again: equal bytes, unless one was taken away. */
async function completeRun(folder: TestFolder): Promise<TestRun | undefined> {
  return readTestRun(folder.path).catch(() => undefined);
}

async function scoreInFolder(
  test: PreparedTest,
  folder: TestFolder,
  surroundings: Surroundings,
): Promise<TestRun | undefined> {
  const journal = await Journal.open(folder.journal);
  try {
    return await evaluate(test, surroundings, { folder, journal });
  } finally {
    await journal.close();
  }
}

/** @returns undefined when the signal fired */
async function evaluate(
  test: PreparedTest,
  { signal, onProgress }: Surroundings,
  kept?: { folder: TestFolder; journal: Journal },
): Promise<TestRun | undefined> {
  const { engine, resolved, settings, machine, data, pictures } = test;
  const { maxPixels } = engine.trainingParts;
  const { exif, maskGrey = false, limits, threshold, mapThreshold } = settings;
  const progress = { done: 0, kept: 0, total: pictures };
  const sets: FinishedSet[] = [];
  for (const [set, { opened, learnedOn }] of data.entries()) {
    const classes: FinishedClass[] = [];
    for (const [at, ofClass] of opened.classes.entries()) {
      const { className, items } = ofClass;
      const tell = () => onProgress({ stage: 'scoring', ...progress, dataSet: opened.name, className });
      const earlier = await kept?.folder.readClass(set, at, className);
      if (earlier) {
        progress.done += items.length;
        progress.kept += items.length;
        tell();
        classes.push(earlier);
        continue;
      }
      const work: ClassWork = {
        engine,
        choices: { ...resolved.choices, batch: resolved.batch },
        metrics: {
          limits,
          ...(threshold === null ? {} : { threshold }),
          ...(mapThreshold === null ? {} : { mapThreshold }),
          curvePoints: k_curvePoints,
          histogramBins: k_histogramBins,
          threads: engine.facts.threads,
        },
        exif,
        maskGrey,
        maxPixels,
        set,
        setFolder: opened.folder,
        kept,
        keepMaps: resolved.keepMaps,
        alsoKept: test.keepsShown ? shownInAll(items) : new Set(),
        dependsOnBatch: couplesPictures(settings),
        needsWholeClass: needsWholeClass(settings),
        panels: panelsOf(test),
        ...(isMutual(settings.method)
          ? {
              outcomes: (missing) =>
                scoredByEachOther(
                  { engine, items, choices: resolved.choices, folder: kept?.folder.patches, signal },
                  missing,
                ),
            }
          : {}),
        signal,
        onPicture: (wasKept) => {
          progress.done++;
          if (wasKept) progress.kept++;
          tell();
        },
      };
      const finished = await scoreClass(ofClass, work).catch((thrown: unknown) => {
        throw withPreset(thrown, resolved.preset);
      });
      if (!finished) return undefined;
      await kept?.folder.writeClass(set, at, finished);
      classes.push(finished);
      await removeMaps(finished, work);
    }
    await kept?.folder.removeMapsBut(opened.folder, mapsOf(classes));
    sets.push({ data: opened, learnedOn, classes });
  }
  return assembleRun(sets, settings, { comparePaper: resolved.comparePaper, machine, addon: engine.addon });
}

function labelledIn({ name, classes }: TestData) {
  return {
    name,
    classes: classes.map(({ className, items }) => ({
      className,
      labels: items.map(({ isAnomalous }) => isAnomalous),
    })),
  };
}

function panelsOf({ engine, panels, settings }: PreparedTest): Panels | undefined {
  if (panels === undefined) return undefined;
  return new Panels(panels, {
    engine,
    reading: recordedReading(settings),
    maxPixels: engine.trainingParts.maxPixels,
    style: { ...mapColours(settings), mapThreshold: settings.mapThreshold },
  });
}

/** That a preset is made for other towers is not to be seen from the engine's words. */
function withPreset(thrown: unknown, preset: string | null): unknown {
  if (!(thrown instanceof CraneError) || thrown.code !== 'E_MODEL_CONFIG' || preset === null) return thrown;
  return new CraneError(thrown.code, thrown.message, {
    hint: `preset ${preset} is made for the paper's towers (--model crane, crane+); what is given beside it wins`,
    cause: thrown,
  });
}

function stopped({ pictures }: PreparedTest, folder: TestFolder | undefined): never {
  throw new CraneError('E_CANCELLED', `interrupted before all ${pictures} pictures were scored`, {
    hint: folder && 'what is done is saved: the same command with --resume goes on',
  });
}
