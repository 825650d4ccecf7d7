/** What an evaluation of several classes gives. */
import type { ClassMetrics } from '../addon/metric-results.js';

export interface Mean {
  /** null where no class has the figure */
  value: number | null;
  /** number of classes that entered */
  classes: number;
}

export interface Means {
  image: { auroc: Mean; ap: Mean; f1Max: Mean };
  pixel: {
    auroc: Mean;
    ap: Mean;
    f1Max: Mean;
    aupro: { limit: number; exact: Mean; reference200: Mean }[];
  };
}

export interface Evaluation {
  /** in the order of their first picture */
  classes: ClassMetrics[];
  mean: {
    /** over the classes that have the figure */
    leftOut: Means;
    /** over all classes, an undefined figure counted as 0: the reference's convention */
    asZero: Means;
  };
}
