/** What one run learns from, complete: pictures, their masks, their places in the cache, and its fingerprint. */

import { type MosaicPlan, MosaicPool, planMosaics } from '../data/mosaic-plan.js';
import { type SetSummary, summarise, summaryLines } from '../data/summary.js';
import { CraneError } from '../errors.js';
import { packageVersion } from '../files/package-root.js';
import type { PictureNote } from '../images/samples.js';
import { promptFacts } from '../runs/prompt-facts.js';
import type { TrainSettings } from '../runs/train-settings.js';
import { type Fingerprint, fingerprint } from '../runs/training-fingerprint.js';
import { type ChosenItem, choosePictures } from './choose-pictures.js';
import type { OrderChoice } from './epoch-orders.js';
import { Lacking, type LackingCells, type LackingFeatures } from './lacking.js';
import {
  hashOfPictures,
  identifyMosaic,
  identifyPicture,
  type LearningPicture,
} from './learning-pictures.js';
import { Pace, type RunEvent } from './progress.js';
import { learnerSettings, nativeOptions } from './settings.js';
import { type StartPrompts, startPrompts } from './start-prompts.js';
import { throwIfStopped } from './stopped.js';
import type { Training } from './training.js';

/** Files opened at once. */
const k_readAtOnce = 4;

export interface PreparedRun {
  seed: number;
  /** pictures, then mosaics: what an order's indices mean */
  learning: LearningPicture[];
  pictures: number;
  order: OrderChoice;
  /** of these the cache has no whole file */
  missing: LackingFeatures[];
  /** files of the cache that lack only counts of masks */
  uncounted: LackingCells[];
  /** different files of the cache that the run uses */
  files: number;
  start: StartPrompts;
  fingerprint: Fingerprint;
  sets: SetSummary[];
  learnedOn: string[];
  /** digits of the pictures that the prompts to begin with were learned from */
  learnedBefore: ReadonlySet<string>;
  notes: string[];
}

/** @throws CraneError E_DATA_*, E_INPUT_*, E_IMAGE_*, E_PROMPTS, E_CANCELLED */
export async function* prepareRun(
  training: Training,
  seed: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RunEvent, PreparedRun, undefined> {
  const { cache, data, method, parts } = training;
  const settings = { ...training.settings, seed };
  const { items, notes } = choosePictures(data, settings, seed);
  const taken = summarise(
    data.sets.map((set) => ({ ...set, items: items.filter(({ root }) => root === set.root) })),
  );
  for (const text of [...summaryLines(taken), ...notes]) yield { stage: 'note', text };
  const { mosaicRate: rate, mosaicPool: poolSize, mosaicClasses: classes } = settings;
  const mosaics = planMosaics(items, {
    rate,
    seed,
    classes,
    ...(poolSize === undefined ? {} : { poolSize }),
  });
  const oddMasks = new Map<string, Set<string>>();
  const work = {
    addon: parts.addon,
    input: parts.size,
    grid: cache.shape.grid,
    reading: training.reading,
    maxPixels: parts.maxPixels,
    onMaskNote: (picture: string, { message }: PictureNote) => {
      oddMasks.set(message, (oddMasks.get(message) ?? new Set()).add(picture));
    },
  };

  const shown = items.map(({ className }) => className);
  const start = await startPrompts(settings, parts.model, method, shown);
  const before = await originOf(start, settings, training);
  for (const text of before.notes) yield { stage: 'note', text };
  await tryStart(training, start, settings);

  const tasks = [
    ...items.map((item) => () => identifyPicture(item, work)),
    ...mosaics.map((plan) => () => identifyMosaic(plan, items, work)),
  ];
  const learning: LearningPicture[] = [];
  const lacking = new Lacking(cache);
  const empty: LearningPicture[] = [];
  const pace = new Pace(tasks.length);
  for (let at = 0; at < tasks.length; at += k_readAtOnce) {
    throwIfStopped(signal, `after reading ${learning.length} of ${tasks.length} pictures`);
    const read = await Promise.all(
      tasks.slice(at, at + k_readAtOnce).map(async (task) => {
        const picture = await task();
        return { picture, ...(await lacking.look(picture)) };
      }),
    );
    for (const { picture, wasDamaged, anomalousPixels } of read) {
      learning.push(picture);
      if (picture.hasOwnMask && anomalousPixels === 0) empty.push(picture);
      if (wasDamaged)
        yield {
          stage: 'note',
          text: `${picture.name}: its features in the cache were damaged and are computed again`,
        };
    }
    yield { stage: 'reading', ...pace.at(learning.length) };
  }

  refuseOneContent(learning);
  const { features, cells } = await lacking.all();
  const maskNotes = [...emptyMaskNotes(empty), ...oddMaskNotes(oddMasks), ...bothLabelsNotes(learning)];
  for (const text of maskNotes) yield { stage: 'note', text };

  const masks = learning.filter(({ mask }) => mask !== undefined).length;
  const made = fingerprint({
    version: packageVersion(),
    machine: training.machine,
    model: parts.model.name,
    weights: training.weights,
    features: cache.key,
    start,
    data: { pictures: items.length, masks, hash: hashOfPictures(learning) },
    settings,
    training: nativeOptions(settings, method, seed),
    method,
  });
  return {
    seed,
    learning,
    pictures: items.length,
    order: orderChoice(settings.order, seed, items, mosaics, rate),
    missing: features,
    uncounted: cells,
    files: lacking.files,
    start,
    fingerprint: made,
    sets: taken.sets,
    learnedOn: [...new Set([...before.learnedOn, ...items.map(({ set }) => set)])],
    learnedBefore: before.learnedPictures,
    notes: [...notes, ...before.notes, ...maskNotes],
  };
}

/** Of one picture, however often it comes, nothing can be learned. @throws CraneError E_DATA_EQUAL */
function refuseOneContent(learning: readonly LearningPicture[]): void {
  const [first, second] = learning;
  if (second === undefined || learning.some(({ content }) => content !== first!.content)) return;
  throw new CraneError(
    'E_DATA_EQUAL',
    `all ${learning.length} pictures have the same content, for instance ${first!.name} and ${second.name}`,
    { hint: 'nothing can be learned from one picture: look at how the files were copied or exported' },
  );
}

/** The same content as normal and as anomalous: one of the labels is wrong. */
function bothLabelsNotes(learning: readonly LearningPicture[]): string[] {
  const byContent = new Map<string, LearningPicture>();
  const odd: [LearningPicture, LearningPicture][] = [];
  for (const picture of learning) {
    const other = byContent.get(picture.content);
    if (other === undefined) byContent.set(picture.content, picture);
    else if (other.isAnomalous !== picture.isAnomalous) odd.push([other, picture]);
  }
  const [first] = odd;
  if (first === undefined) return [];
  const names = first.map(({ name, isAnomalous }) => `${name} (${isAnomalous ? 'anomalous' : 'normal'})`);
  return [
    `${odd.length === 1 ? 'two pictures have' : `${odd.length} pairs of pictures have`} one content and different labels, for instance ${names.join(' and ')}`,
  ];
}

/** @param odd pictures by what was noticed of their masks; of a mask whose cells the cache has already nothing is */
function oddMaskNotes(odd: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...odd].map(
    ([message, pictures]) =>
      `${pictures.size} picture${pictures.size === 1 ? '' : 's'}, for instance ${[...pictures][0]}: ${message}`,
  );
}

/** What a file that is learned on learned on itself. */
async function originOf(
  { sha256 }: StartPrompts,
  { start }: TrainSettings,
  { parts, method }: Training,
): Promise<{ learnedOn: string[]; learnedPictures: ReadonlySet<string>; notes: string[] }> {
  const facts = sha256 === undefined ? null : await promptFacts(parts.addon, parts.model, method, start);
  const notes =
    facts === null || facts.learnedOn !== null
      ? []
      : [
          `${start}: does not say what its prompts were learned on before: what is learned here names the data sets of this run alone`,
        ];
  return { learnedOn: facts?.learnedOn ?? [], learnedPictures: facts?.learnedPictures ?? new Set(), notes };
}

/** Prompts that do not fit the model are told now, not after the pictures were read. */
async function tryStart({ parts, method }: Training, { source }: StartPrompts, settings: TrainSettings) {
  const trial = await parts.native.beginTraining(
    source,
    method,
    learnerSettings(settings, method, settings.seed),
  );
  await trial.end();
}

function orderChoice(
  kind: OrderChoice['kind'],
  seed: number,
  items: readonly ChosenItem[],
  mosaics: readonly MosaicPlan[],
  rate: number,
): OrderChoice {
  return {
    kind,
    seed,
    pictures: items.length,
    classOf: (picture) => items[picture]!.className,
    mosaics,
    pool: new MosaicPool(mosaics, rate),
  };
}

function emptyMaskNotes(empty: readonly LearningPicture[]): string[] {
  if (empty.length === 0) return [];
  return [
    `masks of anomalous pictures that are empty: ${empty.length}, for instance that of ${empty[0]!.name}`,
  ];
}
