/** A finished test made by hand: two data sets with hostile names, undefined figures, the paper's row, a learned set. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { SeededGenerator } from '../../../../src/data/seeded-generator.js';
import { AnomalyMap } from '../../../../src/images/anomaly-map.js';
import type {
  ClassMetrics,
  Curve,
  Metric,
  PixelMetrics,
  RankingMetrics,
} from '../../../../src/metrics/index.js';
import { evaluationOf } from '../../../../src/metrics/means.js';
import {
  type Examples,
  isScored,
  type ScoredPicture,
  type TestedClass,
  type TestedDataSet,
  type TestRun,
} from '../../../../src/runs/test-run.js';
import { mapFile } from '../../../../src/sinks/map-file.js';
import { makeFakeAddon } from '../../engine/fake-addon.js';
import { toyModelJson } from '../../engine/toy-model.js';

export const hostileClass = '</script><img src=x onerror="globalThis.bad=1">&amp;';
export const hostilePicture = 'good/"><svg onload=globalThis.bad=1> \u202Egnp.exe.png';
export const hostileSet = "bad'set & <b>bold</b>";

interface ClassPlan {
  name: string;
  normal: number;
  anomalous: number;
  /** distance of the two labels' scores */
  apart: number;
  hasMasks?: boolean;
}

export function fixtureRun(): TestRun {
  const first = dataSet('steel_parts', [
    { name: 'bolt', normal: 41, anomalous: 83, apart: 2.6 },
    { name: 'cable', normal: 58, anomalous: 92, apart: 1.6 },
    { name: 'grid', normal: 21, anomalous: 57, apart: 3.2 },
    { name: 'surface without a single normal picture', normal: 0, anomalous: 24, apart: 2 },
    { name: hostileClass, normal: 30, anomalous: 40, apart: 1.1, hasMasks: false },
  ]);
  const second = dataSet(hostileSet, [{ name: 'leaf', normal: 25, anomalous: 28, apart: 1.8 }]);
  first.published = 'MPDD';
  first.paper = {
    dataSet: 'MPDD',
    column: 'Crane',
    tables: [1, 7],
    mean: { image: { auroc: 81.4, ap: 84.8, f1Max: 81.6 }, pixel: { auroc: 97, aupro: 89.3, f1Max: 38.2 } },
    classes: { bolt: { image: { auroc: 90.1, ap: 92, f1Max: 88 }, pixel: null } },
    areRowsDoubtful: true,
    errata: ['Table 7 prints the pixel AUROC of "tubes" twice.'],
    notComparable: ['The model is toy, not CLIP ViT-L/14@336.'],
  };
  second.learnedOn = { why: 'name', detail: hostileSet };
  second.classes[0]!.pictures.push({
    index: 53,
    path: 'test/leaf/broken.png',
    maskPath: null,
    className: 'leaf',
    kind: 'good',
    isAnomalous: false,
    error: { code: 'E_IMAGE_DECODE', message: 'not a picture' },
  });
  second.classes[0]!.failed = 1;
  const method = toyModelJson.method as TestRun['settings']['method'];
  return {
    format: 1,
    settings: {
      model: 'toy@0123456789ab',
      modelName: 'toy',
      size: { width: 28, height: 28 },
      method,
      prompts: { name: 'plain', sha256: 'ab'.repeat(32), learnedOn: ['toys', hostileSet] },
      preset: null,
      fit: 'stretch',
      tileOverlap: 0.25,
      exif: true,
      split: 'test',
      limits: [0.05, 0.3],
      threshold: null,
      mapThreshold: 0.5,
      bootstrap: { resamples: 1000, seed: 111, level: 0.95 },
    },
    dataSets: [first, second],
    warnings: [`1 picture of ${hostileSet} could not be scored.`],
    versions: { 'crane-native': '0.1.0', libtorch: '2.11.0', node: '20.20.0' },
    machine: { cpu: 'toy', device: 'cpu', threads: 2 },
  };
}

function dataSet(name: string, plans: ClassPlan[]): TestedDataSet {
  let index = 0;
  const classes = plans.map((plan) => {
    const made = testedClass(plan, index);
    index += plan.normal + plan.anomalous;
    return made;
  });
  return {
    name,
    published: null,
    root: `/data/${name}`,
    layout: 'meta.json',
    learnedOn: null,
    classes,
    intervals: { auroc: { low: 0.85, high: 0.91, resamples: 1000 }, ap: null, f1Max: null },
    mean: evaluationOf(classes.map(({ metrics }) => metrics)).mean,
    paper: null,
    notes: [],
  };
}

function testedClass(plan: ClassPlan, start: number): TestedClass {
  const { name, normal, anomalous, apart, hasMasks = true } = plan;
  const random = SeededGenerator.of(7, name);
  const gauss = () =>
    Array.from({ length: 12 }, () => random.float()).reduce((sum, value) => sum + value, -6);
  const folder = name.replace(/[^a-z]/g, '') || 'odd';
  const pictures = Array.from({ length: normal + anomalous }, (_, at): ScoredPicture => {
    const isAnomalous = at >= normal;
    const drawn = 1 / (1 + Math.exp(-(gauss() + (isAnomalous ? apart : 0) - 1)));
    const isHostile = name === hostileClass && at === 0;
    // shown for certain: the most suspicious of its class
    const score = isHostile ? 0.99 : drawn;
    const kind = isAnomalous ? (at % 2 ? 'scratch' : 'dent') : 'good';
    const file = `${kind}/${String(at).padStart(3, '0')}.png`;
    return {
      index: start + at,
      path: isHostile ? hostilePicture : `test/${folder}/${file}`,
      maskPath: isAnomalous && hasMasks ? `ground_truth/${folder}/${file}` : null,
      className: name,
      kind,
      isAnomalous,
      score,
      mapMax: score,
      width: 120,
      height: 90,
      map: null,
    };
  });
  return {
    className: name,
    metrics: metricsOf(plan, pictures),
    failed: 0,
    intervals:
      normal === 0
        ? { auroc: null, ap: null, f1Max: null }
        : {
            auroc: { low: 0.81, high: 0.93, resamples: 1000 },
            ap: { low: 0.84, high: 0.95, resamples: 1000 },
            f1Max: { low: 0.8, high: 0.9, resamples: 1000 },
          },
    pictures,
    examples: examplesOf(pictures),
  };
}

function examplesOf(pictures: ScoredPicture[]): Examples {
  const of = (isAnomalous: boolean, direction: 1 | -1) =>
    pictures
      .map((picture, at) => ({ picture, at }))
      .filter(({ picture }) => picture.isAnomalous === isAnomalous)
      .sort((a, b) => direction * (a.picture.score - b.picture.score))
      .slice(0, 4)
      .map(({ at }) => at);
  return {
    bestNormal: of(false, 1),
    worstNormal: of(false, -1),
    bestAnomalous: of(true, -1),
    worstAnomalous: of(true, 1),
  };
}

function metricsOf(
  { name, normal, anomalous, apart, hasMasks = true }: ClassPlan,
  pictures: ScoredPicture[],
): ClassMetrics {
  const undefinedOnes = (reason: Metric['reason']): Metric => ({ value: null, reason: reason! });
  const image: RankingMetrics =
    normal === 0
      ? {
          normal,
          anomalous,
          auroc: undefinedOnes('one label only'),
          ap: undefinedOnes('one label only'),
          f1Max: undefinedOnes('one label only'),
        }
      : ranking(pictures);
  const roc = shape((x) => x ** (1 / (2 + 3 * apart)));
  const pro = shape((x) => x ** (1 / (1 + 1.5 * apart)));
  const precision = shape((x) => Math.max(0.02, 0.95 - 0.8 * x ** 2));
  const pixel: PixelMetrics = hasMasks
    ? {
        normal: 1e6,
        anomalous: 2e4,
        regions: anomalous,
        lowest: 0,
        highest: 1,
        auroc: { value: area(roc) },
        ap: { value: 0.33 + apart / 20 },
        f1Max: { value: 0.38 + apart / 20, threshold: 0.4, precision: 0.4, recall: 0.36 },
        aupro: [
          {
            limit: 0.05,
            exact: { value: 0.61 },
            reference200: { value: null, reason: 'fewer than two thresholds below the limit' },
          },
          { limit: 0.3, exact: { value: area(pro) }, reference200: { value: area(pro) - 0.012 } },
        ],
        curves: { roc, precisionRecall: precision, pro },
      }
    : {
        normal: 0,
        anomalous: 0,
        regions: 0,
        lowest: 0,
        highest: 0,
        auroc: undefinedOnes('no maps'),
        ap: undefinedOnes('no maps'),
        f1Max: undefinedOnes('no maps'),
        aupro: [0.05, 0.3].map((limit) => ({
          limit,
          exact: undefinedOnes('no region'),
          reference200: undefinedOnes('no region'),
        })),
      };
  return {
    className: name,
    remarks: {
      pictures: pictures.length,
      withoutScore: 0,
      withoutMap: 0,
      anomalousWithoutMask: hasMasks ? 0 : anomalous,
      anomalousWithEmptyMask: 0,
      normalWithAnomalousPixels: 0,
    },
    image,
    pixel,
  };
}

function ranking(pictures: ScoredPicture[]): RankingMetrics {
  const falling = [...pictures].sort((a, b) => b.score - a.score);
  const anomalous = pictures.filter(({ isAnomalous }) => isAnomalous).length;
  const normal = pictures.length - anomalous;
  const roc = { x: [0], y: [0], threshold: [Number.POSITIVE_INFINITY] };
  const precisionRecall = { x: [] as number[], y: [] as number[], threshold: [] as number[] };
  let found = 0;
  let ap = 0;
  let best = { value: 0, threshold: 1, precision: 0, recall: 0 };
  for (const [at, { score, isAnomalous }] of falling.entries()) {
    if (isAnomalous) {
      found++;
      ap += found / (at + 1) / anomalous;
    }
    roc.x.push((at + 1 - found) / normal);
    roc.y.push(found / anomalous);
    roc.threshold.push(score);
    precisionRecall.x.push(found / anomalous);
    precisionRecall.y.push(found / (at + 1));
    precisionRecall.threshold.push(score);
    const f1 = (2 * found) / (at + 1 + anomalous);
    if (f1 > best.value)
      best = { value: f1, threshold: score, precision: found / (at + 1), recall: found / anomalous };
  }
  const curves = { roc: typed(roc), precisionRecall: typed(precisionRecall) };
  return { normal, anomalous, auroc: { value: area(curves.roc) }, ap: { value: ap }, f1Max: best, curves };
}

function typed(curve: { x: number[]; y: number[]; threshold: number[] }): Curve {
  return {
    x: Float64Array.from(curve.x),
    y: Float64Array.from(curve.y),
    threshold: Float64Array.from(curve.threshold),
  };
}

function shape(of: (x: number) => number): Curve {
  const xs = Array.from({ length: 201 }, (_, at) => (at / 200) ** 3);
  return typed({ x: xs, y: xs.map(of), threshold: xs.map((x) => 1 - x) });
}

function area({ x, y }: Curve): number {
  let sum = 0;
  for (let at = 1; at < x.length; at++) sum += ((x[at]! - x[at - 1]!) * (y[at]! + y[at - 1]!)) / 2;
  return sum;
}

/** Draws the example pictures of a run below `folder`, with masks and kept maps; the run's roots and maps then say so. */
export async function drawFixturePictures(run: TestRun, folder: string): Promise<void> {
  for (const [at, set] of run.dataSets.entries()) {
    set.root = join(folder, `data-${at}`);
    for (const one of set.classes) {
      for (const index of new Set(Object.values(one.examples).flat() as number[])) {
        const picture = one.pictures[index]!;
        if (!isScored(picture)) continue;
        if (picture.path === hostilePicture) picture.path = hostilePicture.replaceAll('/', '_');
        picture.map = `maps/${at}/${picture.index}.map.npy`;
        await drawPicture(picture, set.root, join(folder, picture.map));
      }
    }
  }
}

async function drawPicture(picture: ScoredPicture, root: string, mapPath: string): Promise<void> {
  const { width, height, isAnomalous, score, index } = picture;
  const random = SeededGenerator.of(index);
  const [cx, cy, rx, ry] = [
    30 + random.below(60),
    25 + random.below(40),
    6 + random.below(12),
    5 + random.below(9),
  ];
  const distance = (x: number, y: number) => Math.hypot((x - cx) / rx, (y - cy) / ry);
  const rgb = new Uint8Array(width * height * 3);
  const mask = new Uint8Array(width * height);
  const map = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      const away = distance(x, y);
      const isDefect = isAnomalous && away < 1;
      const grain = 120 + 30 * Math.sin(x / 7 + index) + random.below(24);
      for (let c = 0; c < 3; c++) rgb[3 * pixel + c] = isDefect ? grain * 0.35 : grain + 18 * c;
      mask[pixel] = isDefect ? 255 : 0;
      map[pixel] = score * Math.exp((-away * away) / 3) + 0.06 * random.float();
    }
  }
  await save(join(root, picture.path), sharp(rgb, { raw: { width, height, channels: 3 } }).png());
  if (picture.maskPath !== null)
    await save(join(root, picture.maskPath), sharp(mask, { raw: { width, height, channels: 1 } }).png());
  await mkdir(dirname(mapPath), { recursive: true });
  const parts = await mapFile(new AnomalyMap({ data: map, width, height }, makeFakeAddon()), 'npy');
  await writeFile(mapPath, Buffer.concat(parts));
}

async function save(path: string, picture: Sharp): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await picture.toBuffer());
}
