/** Metrics in the engine addon: what evaluation uses. They need no engine. */
import type { ClassMetrics } from './metric-results.js';

/** Metrics of anomaly detection (method.md 8); docs/metrics.md has the definitions. */
export interface MetricOptions {
  /** of the false-positive rate for AUPRO, each in (0, 1] */
  limits: number[];
  threshold?: number;
  mapThreshold?: number;
  /** 0: no curves */
  curvePoints: number;
  /** 0: no histograms */
  histogramBins: number;
  /** 0: all cores */
  threads: number;
}

/** map and mask: [height, width]; what is not known is left out. */
export interface MetricPicture {
  /** for messages */
  name: string;
  score?: number;
  /** true: anomalous */
  label?: boolean;
  map?: Float32Array;
  mask?: Uint8Array;
  width: number;
  height: number;
}

/** Flat arrays in files: maps float32 and masks uint8, both [count, height, width]; offsets in bytes. */
export interface MetricMappedSet {
  maps: { path: string; offset: number };
  masks?: { path: string; offset: number };
  count: number;
  height: number;
  width: number;
  scores?: Float64Array;
  labels?: Uint8Array;
}

export interface NativeMetricEvaluator {
  /** Arrays are copied before the call returns. A picture enters whole or not at all. */
  add(className: string, picture: MetricPicture): Promise<void>;
  /** Where it rejects, the class cannot be finished any more. */
  addMapped(className: string, set: MetricMappedSet): Promise<void>;
  /** Computes one class and frees what it held; no addition to it may be in flight. */
  finishClass(className: string): Promise<Omit<ClassMetrics, 'className'>>;
  dispose(): void;
}

/** A bootstrap over pictures: how often, from which numbers, and the share of the draws inside an interval. */
export interface Resampling {
  resamples: number;
  /** below 2^53 */
  seed: number;
  level: number;
}

/** Scores of pictures and whether each is anomalous (not 0). Copied before a call returns. */
export interface LabelledScores {
  scores: Float64Array;
  labels: Uint8Array;
}

/** The threshold of best F1; `low` and `high` are of the draws' thresholds. */
export interface BestThreshold {
  threshold: number;
  f1: number;
  precision: number;
  recall: number;
  low: number;
  high: number;
  /** mean F1 on the pictures that a draw left out; null: no draw left an anomalous one */
  f1Unseen: number | null;
}

/** Values of maps counted at multiples of 1/levels, map by map. */
export interface NativeMapLevels {
  /** Leave the arrays alone until it resolves. @param mask as long as the map; null: all its pixels are normal */
  add(map: Float32Array, mask: Uint8Array | null, isAnomalous: boolean): Promise<void>;
  /** null without an anomalous pixel; no addition may be in flight */
  bestThreshold(options: Resampling & { stream: string }): Promise<BestThreshold | null>;
}
