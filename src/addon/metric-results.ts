/** Figures of one class. A figure that is not defined is null and says why; it is never 0 by silence. */

export type UndefinedReason =
  | 'no image scores'
  | 'no maps'
  | 'one label only'
  | 'no region'
  | 'no normal pixel'
  | 'constant maps'
  | 'infinite score'
  | 'fewer than two thresholds below the limit'
  | 'equal false-positive rates below the limit'
  | 'nothing at or above the threshold'
  | 'nothing anomalous';

export interface Metric {
  value: number | null;
  /** present exactly where `value` is null */
  reason?: UndefinedReason;
}

/** The maximum over all thresholds, and the highest threshold that reaches it (anomalous: score >= threshold). */
export interface BestF1 extends Metric {
  threshold?: number;
  precision?: number;
  recall?: number;
}

export interface Confusion {
  threshold: number;
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  trueNegatives: number;
  precision: Metric;
  recall: Metric;
  f1: Metric;
}

/**
 * Equal bins from the lowest to the highest finite score; a bin holds its lower edge, the last one both. Infinite scores
 * are counted in the first and last bin. One bin where all scores are equal.
 */
export interface ScoreHistogram {
  lowest: number;
  highest: number;
  normal: Float64Array;
  anomalous: Float64Array;
}

/** Point i is what calling everything at or above threshold[i] anomalous gives; thresholds fall. */
export interface Curve {
  x: Float64Array;
  y: Float64Array;
  threshold: Float64Array;
}

/** What pictures and pixels have in common. */
export interface RankingMetrics {
  /** how many entered */
  normal: number;
  anomalous: number;
  auroc: Metric;
  /** average precision: sum over distinct thresholds of (rise in recall) x precision */
  ap: Metric;
  f1Max: BestF1;
  /** at the threshold that was asked for */
  atThreshold?: Confusion;
  histogram?: ScoreHistogram;
  curves?: {
    /** x: false-positive rate, y: true-positive rate */
    roc: Curve;
    /** x: recall, y: precision */
    precisionRecall: Curve;
  };
}

export interface AuproAtLimit {
  /** of the false-positive rate */
  limit: number;
  /** every distinct score a threshold, linear in between and at the limit, divided by the limit */
  exact: Metric;
  /** the reference's convention: 200 thresholds, false-positive rates rescaled by their own minimum and maximum */
  reference200: Metric;
}

export interface PixelMetrics extends RankingMetrics {
  /** 8-connected regions of the masks */
  regions: number;
  /** scores of all pixels that entered; null where none did */
  lowest: number | null;
  highest: number | null;
  /** in the order of the limits asked for */
  aupro: AuproAtLimit[];
  curves?: RankingMetrics['curves'] & {
    /** x: false-positive rate, y: mean overlap of a region */
    pro: Curve;
  };
}

/** Counts of pictures that a reader of the figures should know of. */
export interface Remarks {
  pictures: number;
  /** not among the image metrics */
  withoutScore: number;
  /** not among the pixel metrics */
  withoutMap: number;
  /** not among the pixel metrics: which pixels are anomalous is not known */
  anomalousWithoutMask: number;
  anomalousWithEmptyMask: number;
  normalWithAnomalousPixels: number;
}

export interface ClassMetrics {
  className: string;
  remarks: Remarks;
  image: RankingMetrics;
  pixel: PixelMetrics;
}

/** Bootstrap percentile intervals over pictures; null where the figure is not defined. Pixel figures have none. */
export interface ImageIntervals {
  auroc: Interval | null;
  ap: Interval | null;
  f1Max: Interval | null;
}

export interface Interval {
  low: number;
  high: number;
  /** draws in which the figure was defined */
  resamples: number;
}
