/** A metric evaluator for tests: slow, plain, and dependent on every score and pixel it is given. */
import type { MetricOptions, MetricPicture, NativeMetricEvaluator } from '../../../src/addon/metrics.js';
import type { ClassMetrics, Metric, RankingMetrics } from '../../../src/metrics/index.js';
import { type FakeAddon, type FakeBehaviour, makeFakeAddon } from '../engine/fake-addon.js';

export interface Entered extends MetricPicture {
  className: string;
}

/** A fake addon whose evaluators note what they are given. */
export function makeTestAddon(behaviour: FakeBehaviour = {}): FakeAddon & { entered: Entered[] } {
  const entered: Entered[] = [];
  const fake = makeFakeAddon(behaviour);
  const createMetricEvaluator = (options: MetricOptions) => slowEvaluator(options, entered);
  return Object.assign(fake, { entered, createMetricEvaluator });
}

function slowEvaluator({ limits }: MetricOptions, log: Entered[]): NativeMetricEvaluator {
  const classes = new Map<string, MetricPicture[]>();
  return {
    async add(className, picture) {
      if (picture.label === undefined && !picture.mask)
        throw Object.assign(new Error('needs a label or a mask'), { code: 'E_USAGE' });
      log.push({ ...picture, className });
      classes.set(className, [...(classes.get(className) ?? []), picture]);
    },
    addMapped: () => Promise.reject(new Error('not faked')),
    finishClass: async (className) => figuresOf(classes.get(className)!, limits),
    dispose() {},
  };
}

function figuresOf(pictures: MetricPicture[], limits: number[]): Omit<ClassMetrics, 'className'> {
  const scored = pictures.filter(({ score }) => score !== undefined);
  const pixels = pictures
    .filter(({ label, map, mask }) => map && (!label || mask))
    .flatMap(({ map, mask }) => Array.from(map!, (score, at) => ({ score, label: (mask?.[at] ?? 0) > 0 })));
  const { curves, ...pixel } = ranking(pixels);
  return {
    remarks: {
      pictures: pictures.length,
      withoutScore: pictures.length - scored.length,
      withoutMap: pictures.filter(({ map }) => !map).length,
      anomalousWithoutMask: pictures.filter(({ label, map, mask }) => label && map && !mask).length,
      anomalousWithEmptyMask: 0,
      normalWithAnomalousPixels: 0,
    },
    image: ranking(scored.map(({ score, label }) => ({ score: score!, label: label! }))),
    pixel: {
      ...pixel,
      ...(curves ? { curves: { ...curves, pro: curves.roc } } : {}),
      regions: 1,
      lowest: Math.min(...pixels.map(({ score }) => score)),
      highest: Math.max(...pixels.map(({ score }) => score)),
      aupro: limits.map((limit) => ({ limit, exact: pixel.auroc, reference200: pixel.ap })),
    },
  };
}

function ranking(entries: { score: number; label: boolean }[]): RankingMetrics {
  const positive = entries.filter(({ label }) => label);
  const negative = entries.filter(({ label }) => !label);
  const one: Metric = { value: null, reason: 'one label only' };
  const curve = {
    x: Float64Array.of(0, 1),
    y: Float64Array.of(0, 1),
    threshold: Float64Array.of(Number.POSITIVE_INFINITY, 0),
  };
  const base = { normal: negative.length, anomalous: positive.length };
  if (positive.length === 0 || negative.length === 0) return { ...base, auroc: one, ap: one, f1Max: one };
  const pairs = positive.flatMap((p) =>
    negative.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)),
  );
  const auroc = { value: pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length };
  const ap = { value: slowAp(entries) };
  return { ...base, auroc, ap, f1Max: slowF1(entries), curves: { roc: curve, precisionRecall: curve } };
}

function at(entries: { score: number; label: boolean }[], threshold: number) {
  const called = entries.filter(({ score }) => score >= threshold);
  const truePositives = called.filter(({ label }) => label).length;
  const positives = entries.filter(({ label }) => label).length;
  return { truePositives, called: called.length, positives };
}

export function slowAp(entries: { score: number; label: boolean }[]): number {
  const thresholds = [...new Set(entries.map(({ score }) => score))].sort((a, b) => b - a);
  let [ap, before] = [0, 0];
  for (const threshold of thresholds) {
    const { truePositives, called, positives } = at(entries, threshold);
    ap += ((truePositives - before) / positives) * (truePositives / called);
    before = truePositives;
  }
  return ap;
}

export function slowF1(entries: { score: number; label: boolean }[]): { value: number } {
  const values = entries.map(({ score }) => {
    const { truePositives, called, positives } = at(entries, score);
    return (2 * truePositives) / (called + positives);
  });
  return { value: Math.max(...values) };
}

export function slowAuroc(entries: readonly { score: number; isAnomalous: boolean }[]): number {
  const scores = (isAnomalous: boolean) =>
    entries.filter((entry) => entry.isAnomalous === isAnomalous).map(({ score }) => score);
  const pairs = scores(true).flatMap((p) => scores(false).map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
  return pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length;
}
