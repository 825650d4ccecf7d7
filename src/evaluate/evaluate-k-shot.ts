/**
 * The figures of banks of k good pictures, drawn several times: what a few pictures are worth. Good pictures come from the
 * train split where a class has some there, else from the tested ones, of which those of the largest draw are not scored, so
 * that every k is tested on the same pictures.
 *
 * Each picture goes through the towers once, whatever the draws: its patches are kept in a file of the run's state, and mapped.
 * A finished draw is kept there too, so that a run that was ended goes on.
 */
import type { DataItem } from '../data/data-set.js';
import { openAnew } from '../data/open-data-set.js';
import { shuffled } from '../data/sample.js';
import { SeededGenerator } from '../data/seeded-generator.js';
import type { Engine } from '../engine/engine.js';
import { isEncodable } from '../engine/method-choice.js';
import { CraneError, toCraneError } from '../errors.js';
import { joinsBank, needsBank, needsWholeClass } from '../methods/registry.js';
import { leftOutOf } from '../normals/background-text.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { seedsFrom } from '../options/seeds.js';
import type { LearnNormalsChoices, PictureChoices } from '../options/types.js';
import { isScored, type UnscoredPicture } from '../runs/test-run.js';
import { meansOf } from './k-shot-figures.js';
import type { KShotClass, KShotDraw, KShotRun } from './k-shot-run.js';
import type { DrawFound, KShotState } from './k-shot-state.js';
import { KeptPictures } from './kept-pictures.js';
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
  /** of what is kept while it runs */
  state: KShotState;
  signal: AbortSignal;
  onProgress?: (progress: { done: number; total: number; what: string }) => void;
}

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
  const { engine, seeds, seed, resolved, onProgress = () => {} } = options;
  const shots = [...new Set(options.shots)].sort((a, b) => a - b);
  const most = shots.at(-1)!;
  const drawn = seedsFrom(seed, seeds);
  const classes = await prepareAll(options, most);
  const columns = columnsFor(resolved.limits);
  const scoredIn = ({ tested, from }: Prepared) => tested.length - (from === 'test' ? most : 0);
  const total = classes.reduce((sum, one) => sum + scoredIn(one), 0) * shots.length * seeds;
  let done = 0;
  const failed = new Map<string, UnscoredPicture>();
  const finished: KShotClass[] = [];
  let bank: KShotRun['bank'] | undefined;
  for (const one of classes) {
    const kept = new KeptPictures(engine, options.state.rows, options.signal);
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
          const what = `${one.dataSet}/${one.className}, ${k} good, draw ${each}`;
          const before = done;
          const step = () => onProgress({ done: ++done, total, what });
          const of = await kept.bank(normals, options.learning);
          try {
            const named = namedBy(one.className, engine, resolved);
            const label = await engine.labelOf({ ...named, ...comparedBy(resolved, of) });
            const found = await options.state.draw(
              { label, items, columns: columns.map(({ key }) => key) },
              () => scoreDraw({ one, items, of, label, kept, step }, options),
            );
            done = before + items.length;
            onProgress({ done, total, what });
            for (const picture of found.failed) failed.set(`${one.dataSet}/${picture.path}`, picture);
            const { towers: _, pictures: __, ...facts } = of.facts;
            bank = facts;
            scored = found.scored;
            draws.push({
              shots: k,
              seed: each,
              label,
              normals: normals.map(({ imagePath }) => imagePath),
              figures: found.figures,
              ...leftOut(of, found),
            });
          } finally {
            of.remove();
          }
        }
      }
      const { dataSet, className, from, good } = one;
      finished.push({ dataSet, className, from, good: good.length, scored, draws });
    } finally {
      kept.remove();
    }
  }
  const keys = columns.map(({ key }) => key);
  return {
    format: 1,
    kind: 'k-shot',
    model: engine.trainingParts.model.name,
    bank: bank!,
    shots,
    seeds: drawn,
    columns: keys,
    classes: finished,
    means: meansOf(finished, shots, drawn, keys),
    failed: [...failed.values()],
  };
}

interface Draw {
  one: Prepared;
  items: PlacedItem[];
  of: NormalBank;
  label: string;
  kept: KeptPictures;
  step: () => void;
}

async function scoreDraw(
  { one, items, of, label, kept, step }: Draw,
  { engine, resolved, signal }: KShotOptions,
): Promise<DrawFound> {
  const choices = { ...resolved.choices, ...comparedBy(resolved, of), batch: resolved.batch };
  const { exif, maskGrey } = engine.settings(resolved.choices).reading;
  const { method } = engine.settings(choices);
  const found = await scoreClass(
    { className: one.className, items },
    {
      engine,
      choices,
      metrics: { limits: resolved.limits, threads: engine.facts.threads },
      exif,
      maskGrey,
      maxPixels: engine.trainingParts.maxPixels,
      set: 0,
      setFolder: one.setFolder,
      kept: undefined,
      keepMaps: false,
      alsoKept: new Set(),
      dependsOnBatch: false,
      needsWholeClass: needsWholeClass({ method, normals: of }),
      signal,
      onPicture: step,
      ...(needsBank(method) || joinsBank(method)
        ? { outcomes: (missing: PlacedItem[]) => kept.outcomes(missing, of, choices, label) }
        : {}),
    },
  );
  if (!found) throw interrupted();
  const { normal, anomalous } = found.metrics.image;
  const left = found.pictures.flatMap((picture) =>
    isScored(picture) && picture.backgroundPatches !== undefined ? [picture.backgroundPatches] : [],
  );
  const background = {
    ofTested: left.reduce((sum, count) => sum + count, 0),
    testedWhole: left.filter((count) => count === 0).length,
  };
  return {
    scored: { normal, anomalous },
    ...(of.facts.foreground ? { background } : {}),
    figures: Object.fromEntries(
      columnsFor(resolved.limits).map(({ key, of: figure }) => [key, figure(found.metrics).value]),
    ),
    failed: found.pictures.filter((picture): picture is UnscoredPicture => !isScored(picture)),
  };
}

function leftOut({ facts }: NormalBank, { background }: DrawFound): Pick<KShotDraw, 'background'> {
  if (background === undefined) return {};
  const { leftOut: ofGood, patches: patchesOfGood } = leftOutOf(facts.pictures);
  const goodWhole = facts.pictures.filter((picture) => picture.leftOut === 0).length;
  return { background: { ofGood, patchesOfGood, goodWhole, ...background } };
}

/** Prompts alone are judged on the pictures that the draws leave. */
function comparedBy({ choices }: ResolvedTest, normals: NormalBank): Pick<PictureChoices, 'normals'> {
  return choices.evidence === 'prompts' ? {} : { normals };
}

/** As the class's pictures are scored. */
function namedBy(className: string, engine: Engine, { choices }: ResolvedTest): PictureChoices {
  return isEncodable(engine.settings(choices)) ? choices : { ...choices, className };
}

async function prepareAll({ data, resolved }: KShotOptions, most: number): Promise<Prepared[]> {
  const { layout, reading } = resolved;
  const opened = await openTestData(data, { split: 'test', layout, reading });
  const classes: Prepared[] = [];
  for (const [i, { name, folder, classes: ofSet }] of opened.entries()) {
    const train = await openAnew(data[i]!, { ...reading, layout, split: 'train' }).catch(
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

function interrupted(): CraneError {
  return new CraneError('E_CANCELLED', 'interrupted before all draws were scored', {
    hint: 'what is done is kept: go on with --resume',
  });
}
