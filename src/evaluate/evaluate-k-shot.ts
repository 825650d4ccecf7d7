/**
 * The figures of banks of k good pictures, drawn several times: what a few pictures are worth. Good pictures come from the
 * train split where a class has some there, else from the tested ones, of which those of the largest draw are not scored, so
 * that every k is tested on the same pictures.
 */
import type { DataItem } from '../data/data-set.js';
import { openDataSet } from '../data/open-data-set.js';
import { shuffled } from '../data/sample.js';
import { SeededGenerator } from '../data/seeded-generator.js';
import type { Engine } from '../engine/engine.js';
import { CraneError, toCraneError } from '../errors.js';
import { betaQuantile } from '../models/beta-quantile.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type { LearnNormalsChoices } from '../options/types.js';
import { spreadOf } from '../runs/spread.js';
import { isScored, type UnscoredPicture } from '../runs/test-run.js';
import { columnsFor } from './outputs/columns.js';
import { scoreClass } from './score-class.js';
import type { ResolvedTest } from './settings.js';
import { openTestData, type PlacedItem } from './test-data.js';

export interface KShotOptions {
  engine: Engine;
  data: readonly string[];
  /** numbers of good pictures, each at least 1 */
  shots: readonly number[];
  seeds: number;
  seed: number;
  learning: LearnNormalsChoices;
  /** how data sets are read and pictures scored */
  resolved: ResolvedTest;
  signal: AbortSignal;
  onProgress?: (progress: { done: number; total: number; what: string }) => void;
}

/** One draw of one class. */
export interface KShotDraw {
  shots: number;
  seed: number;
  /** of its results, as every scored picture has one: each draw has a bank, and so a label, of its own */
  label: string;
  normals: string[];
  /** by column (image_auroc, ...); null where a figure is not defined */
  figures: Record<string, number | null>;
}

export interface KShotClass {
  dataSet: string;
  className: string;
  /** where its good pictures come from, and how many there are */
  from: 'train' | 'test';
  good: number;
  /** scored in every draw */
  scored: { normal: number; anomalous: number };
  draws: KShotDraw[];
}

/** Of a figure over the draws: of each the mean over the classes. */
export interface KShotFigure {
  mean: number;
  deviation: number;
  /** 95 %, by Student's t over the draws; null of one draw */
  interval: { low: number; high: number } | null;
}

export interface KShotRun {
  format: 1;
  kind: 'k-shot';
  /** its name; what was scored is told apart by the draws' labels */
  model: string;
  bank: Omit<NormalBank['facts'], 'pictures' | 'towers'>;
  shots: number[];
  seeds: number[];
  columns: string[];
  classes: KShotClass[];
  /** null where no class has the figure */
  means: { shots: number; figures: Record<string, KShotFigure | null> }[];
  failed: UnscoredPicture[];
}

const k_level = 0.95;

interface Prepared {
  dataSet: string;
  setFolder: string;
  className: string;
  from: 'train' | 'test';
  good: DataItem[];
  tested: PlacedItem[];
}

/** @throws CraneError E_USAGE where a class has too few good pictures, E_DATA_*, E_NORMALS, E_CANCELLED */
export async function evaluateKShot(options: KShotOptions): Promise<KShotRun> {
  const { engine, seeds, seed, resolved, signal, onProgress = () => {} } = options;
  const shots = [...new Set(options.shots)].sort((a, b) => a - b);
  const most = shots.at(-1)!;
  const classes = await prepareAll(options, most);
  const columns = columnsFor(resolved.limits);
  const drawn = Array.from({ length: seeds }, (_, i) => seed + i);
  const total = classes.reduce(
    (sum, { tested, from }) => sum + tested.length - (from === 'test' ? most : 0),
    0,
  );
  const progress = { done: 0, total: total * shots.length * seeds };
  const failed = new Map<string, UnscoredPicture>();
  const finished: KShotClass[] = [];
  let bank: KShotRun['bank'] | undefined;
  for (const one of classes) {
    const banks = new PictureBanks(engine, options.learning, signal);
    try {
      const draws: KShotDraw[] = [];
      let scored = { normal: 0, anomalous: 0 };
      for (const each of drawn) {
        const order = shuffled(one.good.length, SeededGenerator.of(each, `normals/${one.className}`));
        const largest = order.slice(0, most).map((i) => one.good[i]!);
        const used = new Set(largest.map(({ image }) => image));
        const items = one.from === 'train' ? one.tested : one.tested.filter(({ image }) => !used.has(image));
        for (const k of shots) {
          const normals = largest.slice(0, k);
          const of = await banks.of(normals);
          const what = `${one.dataSet}/${one.className}, ${k} good, draw ${each}`;
          try {
            const done = await scoreClass(
              { className: one.className, items },
              {
                engine,
                choices: { ...resolved.choices, normals: of, batch: resolved.batch },
                metrics: { limits: resolved.limits, threads: engine.facts.threads },
                exif: engine.settings(resolved.choices).reading.exif,
                maskGrey: engine.settings(resolved.choices).reading.maskGrey,
                maxPixels: engine.trainingParts.maxPixels,
                set: 0,
                setFolder: one.setFolder,
                kept: undefined,
                keepMaps: false,
                alsoKept: new Set(),
                dependsOnBatch: false,
                signal,
                onPicture: () => onProgress({ ...progress, done: ++progress.done, what }),
              },
            );
            if (!done) throw interrupted();
            for (const picture of done.pictures)
              if (!isScored(picture)) failed.set(`${one.dataSet}/${picture.path}`, picture);
            const { towers: _, pictures: __, ...facts } = of.facts;
            bank = facts;
            scored = { normal: done.metrics.image.normal, anomalous: done.metrics.image.anomalous };
            draws.push({
              shots: k,
              seed: each,
              label: await engine.labelOf({ ...resolved.choices, normals: of }),
              normals: normals.map(({ imagePath }) => imagePath),
              figures: Object.fromEntries(
                columns.map(({ key, of: figure }) => [key, figure(done.metrics).value]),
              ),
            });
          } finally {
            of.remove();
          }
        }
      }
      const { dataSet, className, from, good } = one;
      finished.push({ dataSet, className, from, good: good.length, scored, draws });
    } finally {
      banks.remove();
    }
  }
  return {
    format: 1,
    kind: 'k-shot',
    model: engine.trainingParts.model.name,
    bank: bank!,
    shots,
    seeds: drawn,
    columns: columns.map(({ key }) => key),
    classes: finished,
    means: meansOf(
      finished,
      shots,
      drawn,
      columns.map(({ key }) => key),
    ),
    failed: [...failed.values()],
  };
}

/** Each good picture goes through the tower once, however many draws it is in. */
class PictureBanks {
  readonly #banks = new Map<string, NormalBank>();
  readonly #engine: Engine;
  readonly #learning: LearnNormalsChoices;
  readonly #signal: AbortSignal;

  constructor(engine: Engine, learning: LearnNormalsChoices, signal: AbortSignal) {
    this.#engine = engine;
    this.#learning = learning;
    this.#signal = signal;
  }

  async of(items: readonly DataItem[]): Promise<NormalBank> {
    const banks: NormalBank[] = [];
    for (const { image, imagePath } of items) {
      const known = this.#banks.get(image);
      const source = [{ input: image, name: imagePath }];
      const bank =
        known ?? (await this.#engine.learnNormals(source, { ...this.#learning, signal: this.#signal }));
      this.#banks.set(image, bank);
      banks.push(bank);
    }
    return this.#engine.mergeNormals(banks);
  }

  remove(): void {
    for (const bank of this.#banks.values()) bank.remove();
  }
}

async function prepareAll({ data, resolved }: KShotOptions, most: number): Promise<Prepared[]> {
  const { layout, reading } = resolved;
  const opened = await openTestData(data, { split: 'test', layout, reading });
  const classes: Prepared[] = [];
  for (const [i, { name, folder, classes: ofSet }] of opened.entries()) {
    const train = await openDataSet(data[i]!, { ...reading, layout, split: 'train' }).catch(
      (thrown: unknown) => {
        if (toCraneError(thrown).code === 'E_DATA_EMPTY') return { items: [] as DataItem[] };
        throw thrown;
      },
    );
    for (const { className, items } of ofSet) {
      const isGood = (item: DataItem) => !item.isAnomalous && item.className === className;
      const ofTrain = train.items.filter(isGood);
      const from = ofTrain.length > 0 ? 'train' : 'test';
      const good = from === 'train' ? ofTrain : items.filter(isGood);
      // Of the tested ones some have to be left, or there is nothing to rank.
      const needed = from === 'train' ? most : most + 1;
      if (good.length < needed) {
        throw new CraneError(
          'E_USAGE',
          `${name}, class ${className}: has ${good.length} good pictures in its ${from} split, ${needed} are needed for ${most} shots`,
          { hint: 'take fewer: --normals-k-shot' },
        );
      }
      classes.push({ dataSet: name, setFolder: folder, className, from, good, tested: items });
    }
  }
  return classes;
}

function meansOf(
  classes: readonly KShotClass[],
  shots: readonly number[],
  seeds: readonly number[],
  columns: readonly string[],
): KShotRun['means'] {
  return shots.map((k) => {
    const figures = columns.map((column) => {
      const ofDraws = seeds.flatMap((seed) => {
        const values = classes.flatMap(({ draws }) => {
          const value = draws.find((draw) => draw.shots === k && draw.seed === seed)!.figures[column];
          return value === null || value === undefined ? [] : [value];
        });
        return values.length === 0 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length];
      });
      return [column, ofDraws.length === 0 ? null : figureOf(ofDraws)] as const;
    });
    return { shots: k, figures: Object.fromEntries(figures) };
  });
}

function figureOf(values: readonly number[]): KShotFigure {
  const { mean, deviation } = spreadOf(values);
  if (values.length === 1) return { mean, deviation, interval: null };
  const half = (studentQuantile(values.length - 1) * deviation) / Math.sqrt(values.length);
  return { mean, deviation, interval: { low: mean - half, high: mean + half } };
}

/** The t that a Student variable of so many degrees of freedom exceeds in size with probability 1 - level. */
export function studentQuantile(degrees: number, level = k_level): number {
  // T^2 = degrees (1 - B) / B with B of Beta(degrees / 2, 1 / 2)
  const b = betaQuantile(1 - level, degrees / 2, 1 / 2);
  return Math.sqrt((degrees * (1 - b)) / b);
}

function interrupted(): CraneError {
  return new CraneError('E_CANCELLED', 'interrupted before all draws were scored', {
    hint: 'nothing is saved of it: start the same command again, with fewer --seeds if it took too long',
  });
}
