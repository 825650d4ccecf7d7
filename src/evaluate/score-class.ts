/** Scores the pictures of one class and hands each map to the metrics as it comes: no two maps need be held. */
import { crc32 } from 'node:zlib';
import { type MaskOptions, maskOfPicture } from '../data/label-mask.js';
import type { Engine } from '../engine/engine.js';
import { isEncodable } from '../engine/method-choice.js';
import type { PictureItem } from '../engine/picture-item.js';
import { isFailed, type PictureScore, type ScoreOutcome } from '../engine/result.js';
import { CraneError, toCraneError } from '../errors.js';
import type { PictureNote } from '../images/samples.js';
import {
  type ClassMetrics,
  createEvaluator,
  type EvaluateOptions,
  type MapValues,
} from '../metrics/index.js';
import type { ScoreManyOptions } from '../options/types.js';
import { chooseExamples, examplesIn } from '../runs/examples.js';
import type { Journal, JournalLine } from '../runs/journal.js';
import type { ScoredPicture, TestedPicture, UnscoredPicture } from '../runs/test-run.js';
import type { FinishedClass } from './finished-class.js';
import type { Panels } from './panels.js';
import type { PlacedItem, TestClass } from './test-data.js';
import type { TestFolder } from './test-folder.js';

/** Of option `batch`. */
const k_mostInCall = 1024;

export interface ClassWork {
  engine: Engine;
  choices: ScoreManyOptions;
  metrics: EvaluateOptions;
  exif: boolean;
  maskGrey: boolean;
  maxPixels: number;
  /** position of the data set in the run */
  set: number;
  setFolder: string;
  /** where maps and results are kept; undefined: nowhere */
  kept: { folder: TestFolder; journal: Journal } | undefined;
  keepMaps: boolean;
  /** maps kept beside those of examples: positions in the class */
  alsoKept: ReadonlySet<number>;
  /** a score depends on its batch (compat.batchMean): a class is scored whole or not at all */
  dependsOnBatch: boolean;
  /** it depends on all pictures of the class: they are one batch */
  needsWholeClass: boolean;
  /** a panel of every picture is drawn */
  panels?: Panels | undefined;
  signal: AbortSignal | undefined;
  /** how pictures are scored; default: by the engine's scoreMany with `choices` */
  outcomes?: (items: PlacedItem[]) => AsyncIterable<ScoreOutcome>;
  /** a picture is done, now or earlier */
  onPicture: (wasKept: boolean) => void;
}

/** @returns undefined when the signal fired: what is done is kept */
export async function scoreClass(
  { className, items }: TestClass,
  work: ClassWork,
): Promise<FinishedClass | undefined> {
  const { engine, signal } = work;
  const evaluator = await createEvaluator(work.metrics, engine.addon);
  const pictures = new Map<number, TestedPicture>();
  let model: string | null = null;
  const enter = async (item: PlacedItem, map: MapValues, line: JournalLine, isKept: boolean) => {
    const notes: PictureNote[] = [];
    const mask = await maskFor(item, map, line, { ...work, onNote: (note) => notes.push(note) });
    const truth = mask ? { ...mask, mode: 'L' as const } : item.isAnomalous ? 'unknown' : 'normal';
    await work.panels?.draw(work.setFolder, item, map, truth, { isKept });
    await evaluator.add({
      className,
      name: item.imagePath,
      score: line.score,
      label: item.isAnomalous,
      map,
      ...(mask ? { mask } : {}),
    });
    model ??= line.model;
    pictures.set(item.index, scoredPicture(item, line, notes));
  };
  const fail = async (item: PlacedItem, error: UnscoredPicture['error']) => {
    // Without score and map it enters no figure, and the remarks count it; as an anomalous one it would also be counted
    // among those that lack a mask.
    await evaluator.add({ className, name: item.imagePath, label: false });
    pictures.set(item.index, { ...placeOf(item), error });
  };
  /** A mask that went or was damaged meanwhile is a fault of its picture, of one that an earlier run scored too. */
  const tryEnter = async (item: PlacedItem, work: () => Promise<void>) => {
    try {
      await work();
    } catch (thrown) {
      const error = toCraneError(thrown);
      if (!isFaultOfPicture(error)) throw thrown;
      await fail(item, error.toJSON());
    }
  };
  try {
    const missing: PlacedItem[] = [];
    for (const item of items) {
      const kept = await keptResult(item, work);
      if (!kept) {
        missing.push(item);
        continue;
      }
      await tryEnter(item, () => enter(item, kept.map, kept.line, true));
      work.onPicture(true);
    }
    const byIndex = new Map(missing.map((item) => [item.index, item]));
    const outcomes =
      work.outcomes?.(missing) ??
      engine.scoreApart(inputsOf(missing, signal), {
        ...namedBy(className, work),
        ...(work.needsWholeClass ? { batch: wholeClass(className, missing) } : {}),
        map: true,
      });
    for await (const outcome of outcomes) {
      const item = byIndex.get(outcome.index)!;
      if (isFailed(outcome)) {
        const { code, message, hint } = outcome.error;
        const error = new CraneError(code, message, { hint });
        if (!isFaultOfPicture(error)) throw error;
        await fail(item, outcome.error);
      } else {
        const line = lineOf(outcome, work.set);
        const map = outcome.map!;
        await tryEnter(item, async () => {
          await enter(item, map, line, false);
          await keep(item, map, line, work);
        });
      }
      work.onPicture(false);
    }
    if (pictures.size < items.length) return undefined;
    return finished(items, pictures, model, await evaluator.finishClass(className));
  } finally {
    evaluator.dispose();
  }

  function finished(
    all: readonly PlacedItem[],
    done: ReadonlyMap<number, TestedPicture>,
    label: string | null,
    metrics: ClassMetrics,
  ): FinishedClass {
    const inOrder = all.map(({ index }) => done.get(index)!);
    const examples = chooseExamples(inOrder);
    const kept = examplesIn(examples);
    const named = inOrder.map((picture, at) =>
      'error' in picture
        ? picture
        : {
            ...picture,
            map:
              work.kept && (work.keepMaps || kept.has(at) || work.alsoKept.has(at))
                ? work.kept.folder.mapName(work.setFolder, picture.index)
                : null,
          },
    );
    return { model: label, className, metrics, pictures: named, examples };
  }
}

/** A file that is missing, damaged or cannot be read. Settings that do not fit, a full disk or a bug end the run. */
function isFaultOfPicture({ code, exitCode }: CraneError): boolean {
  return exitCode === 3 || code === 'E_IO_READ';
}

async function* inputsOf(items: readonly PlacedItem[], signal: AbortSignal | undefined) {
  for (const { image, imagePath, index } of items) {
    if (signal?.aborted) return;
    yield { input: image, name: imagePath, index } satisfies PictureItem;
  }
}

async function keptResult(
  item: PlacedItem,
  { kept, set, setFolder, dependsOnBatch }: ClassWork,
): Promise<{ map: MapValues; line: JournalLine } | undefined> {
  const line = dependsOnBatch ? undefined : kept?.journal.find(set, item.index);
  if (!kept || !line) return undefined;
  const map = await kept.folder.readMap(kept.folder.mapName(setFolder, item.index));
  // One that was changed is as one that is not there.
  const isAsWritten = line.mapCrc32 === undefined || (map && crcOf(map)) === line.mapCrc32;
  return map && isAsWritten ? { map, line } : undefined;
}

async function keep(
  item: PlacedItem,
  map: PictureScore['map'] & {},
  line: JournalLine,
  { kept, setFolder }: ClassWork,
): Promise<void> {
  if (!kept) return;
  await kept.folder.writeMap(kept.folder.mapName(setFolder, item.index), map);
  await kept.journal.append(line);
}

function crcOf({ data }: Pick<MapValues, 'data'>): number {
  return crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** All that a line may hold of it: what is left out here does not compile. */
function lineOf(
  { index, score, mapMax, width, height, model, backgroundPatches, warnings, map }: PictureScore,
  set: number,
): JournalLine {
  const line = { set, index, score, mapMax: mapMax!, width, height, model, mapCrc32: crcOf(map!) };
  const said = { backgroundPatches, warnings } satisfies Record<
    Exclude<keyof JournalLine, keyof typeof line>,
    unknown
  >;
  return {
    ...line,
    ...(said.backgroundPatches === undefined ? {} : { backgroundPatches: said.backgroundPatches }),
    ...(said.warnings === undefined ? {} : { warnings: said.warnings }),
  };
}

/** @throws CraneError E_USAGE for more than one call takes */
function wholeClass(className: string, { length }: readonly PlacedItem[]): number {
  if (length <= k_mostInCall) return Math.max(1, length);
  throw new CraneError(
    'E_USAGE',
    `class ${className} has ${length} pictures, and a score that depends on all of them (compat.classMinMax) takes ${k_mostInCall} at most`,
    { hint: 'leave it off: --no-compat.class-min-max' },
  );
}

/** What the class is called, where the method's texts name it and the caller did not say it for all. */
function namedBy(className: string, { engine, choices }: ClassWork): ScoreManyOptions {
  const settings = engine.settings(choices);
  return isEncodable(settings) ? choices : { ...choices, className };
}

/** In the map's size, resized as the reference does it (method.md 2); null for a normal picture or one without a mask. */
async function maskFor(
  item: PlacedItem,
  map: MapValues,
  { width, height }: JournalLine,
  {
    engine,
    exif,
    maskGrey,
    maxPixels,
    onNote,
  }: Pick<ClassWork, 'engine' | 'exif' | 'maskGrey' | 'maxPixels'> & Required<Pick<MaskOptions, 'onNote'>>,
) {
  if (!item.isAnomalous || item.masks.length === 0) return null;
  const options = { exif, maskGrey, maxPixels, onNote, pixels: engine.addon };
  const grey = await maskOfPicture(item, { path: item.image, width, height }, options);
  const data = await engine.addon.resizeMask(grey, map.width, map.height);
  return { data, width: map.width, height: map.height };
}

function placeOf(item: PlacedItem): Omit<UnscoredPicture, 'error'> {
  const { index, imagePath, maskPath, maskPaths, className, kind, isAnomalous } = item;
  const all = maskPaths.length > 1 ? { maskPaths } : {};
  return { index, path: imagePath, maskPath, ...all, className, kind, isAnomalous };
}

/** @param ofMask what was noticed while its mask was read, which no journal keeps */
function scoredPicture(
  item: PlacedItem,
  { set: _set, index: _index, model: _model, mapCrc32: _crc, warnings = [], ...figures }: JournalLine,
  ofMask: readonly PictureNote[],
): ScoredPicture {
  const all = [...warnings, ...ofMask];
  return { ...placeOf(item), ...figures, map: null, ...(all.length === 0 ? {} : { warnings: all }) };
}
