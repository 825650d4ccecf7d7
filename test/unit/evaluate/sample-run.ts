/** A run by hand: two classes of the paper's BTAD, one of them with one label. */

import type { ClassMetrics, Metric } from '../../../src/metrics/index.js';
import { evaluationOf } from '../../../src/metrics/means.js';
import { compareWithPaper } from '../../../src/runs/paper/compare.js';
import type { TestedClass, TestedDataSet, TestRun, TestSettings } from '../../../src/runs/test-run.js';
import { toyModelJson } from '../engine/toy-model.js';

export const settings: TestSettings = {
  model: 'toy@0123456789ab',
  modelName: 'toy',
  size: { width: 28, height: 28 },
  method: { ...toyModelJson.method } as TestSettings['method'],
  prompts: { name: 'plain', sha256: '0'.repeat(64), learnedOn: ['toys'] },
  preset: null,
  fit: 'stretch',
  tileOverlap: 0.25,
  exif: true,
  split: 'test',
  limits: [0.05, 0.3],
  threshold: null,
  mapThreshold: null,
  bootstrap: { resamples: 1000, seed: 111, level: 0.95 },
};

const one: Metric = { value: null, reason: 'one label only' };

export function figures(className: string, value: number | null): ClassMetrics {
  const image = value === null ? one : { value };
  const base = { normal: value === null ? 0 : 3, anomalous: 4 };
  return {
    className,
    remarks: {
      pictures: 7,
      withoutScore: 0,
      withoutMap: 0,
      anomalousWithoutMask: 1,
      anomalousWithEmptyMask: 0,
      normalWithAnomalousPixels: 0,
    },
    image: { ...base, auroc: image, ap: image, f1Max: image },
    pixel: {
      normal: 10,
      anomalous: 10,
      auroc: { value: 0.9 },
      ap: { value: 0.4 },
      f1Max: { value: 0.5 },
      regions: 2,
      lowest: 0,
      highest: 1,
      aupro: [
        { limit: 0.05, exact: { value: 0.6 }, reference200: { value: 0.61 } },
        {
          limit: 0.3,
          exact: { value: 0.8 },
          reference200: { value: null, reason: 'constant maps' },
        },
      ],
    },
  };
}

function testedClass(metrics: ClassMetrics): TestedClass {
  const interval = { low: 0.7, high: 0.9, resamples: 1000 };
  const intervals =
    metrics.image.auroc.value === null ? null : { auroc: interval, ap: interval, f1Max: interval };
  return {
    className: metrics.className,
    metrics,
    failed: 0,
    intervals,
    pictures: [],
    examples: { bestNormal: [], worstNormal: [], bestAnomalous: [], worstAnomalous: [] },
  };
}

export function sampleRun(
  names = ['01', '02'],
  { name = 'mine', published = 'btad' as string | null, own = settings } = {},
): TestRun {
  const classes = [testedClass(figures(names[0]!, 0.8)), testedClass(figures(names[1]!, null))];
  const dataSet: TestedDataSet = {
    name,
    published,
    root: '/data/mine',
    layout: 'btad',
    learnedOn: null,
    classes,
    mean: evaluationOf(classes.map(({ metrics }) => metrics)).mean,
    intervals: null,
    paper: compareWithPaper(published, own),
    notes: [],
  };
  return { format: 1, settings: own, dataSets: [dataSet], warnings: [], versions: {}, machine: {} };
}
