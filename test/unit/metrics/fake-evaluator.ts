/** A native evaluator that notes what it is asked for. */
import type { MetricOptions, MetricPicture, NativeMetricEvaluator } from '../../../src/addon/metrics.js';
import type { ClassMetrics, Metric } from '../../../src/metrics/index.js';

export interface FakeEvaluator {
  addon: { createMetricEvaluator(options: MetricOptions): NativeMetricEvaluator };
  options: MetricOptions[];
  /** what happened, in order */
  log: string[];
  disposed: () => number;
  /** most additions at once */
  mostAdding: () => number;
}

export function fakeEvaluator(
  onAdd: (className: string, picture: MetricPicture) => void = () => {},
): FakeEvaluator {
  const options: MetricOptions[] = [];
  const log: string[] = [];
  let disposed = 0;
  let adding = 0;
  let mostAdding = 0;
  return {
    options,
    log,
    disposed: () => disposed,
    mostAdding: () => mostAdding,
    addon: {
      createMetricEvaluator(given) {
        options.push(given);
        return {
          async add(className, picture) {
            mostAdding = Math.max(mostAdding, ++adding);
            await new Promise((resolve) => setTimeout(resolve, 1));
            adding--;
            onAdd(className, picture);
            log.push(`add ${className} ${picture.name}`);
          },
          async addMapped(className, set) {
            log.push(`map ${className} ${set.count}`);
          },
          async finishClass(className) {
            log.push(`finish ${className}`);
            return classMetrics(className);
          },
          dispose() {
            disposed++;
          },
        };
      },
    },
  };
}

export const half: Metric = { value: 0.5 };
export const missing: Metric = { value: null, reason: 'one label only' };

export function classMetrics(className: string, auroc: Metric = half): ClassMetrics {
  const ranking = { normal: 1, anomalous: 1, auroc, ap: half, f1Max: half };
  return {
    className,
    remarks: {
      pictures: 2,
      withoutScore: 0,
      withoutMap: 0,
      anomalousWithoutMask: 0,
      anomalousWithEmptyMask: 0,
      normalWithAnomalousPixels: 0,
    },
    image: ranking,
    pixel: {
      ...ranking,
      regions: 1,
      lowest: 0,
      highest: 1,
      aupro: [{ limit: 0.3, exact: auroc, reference200: missing }],
    },
  };
}
