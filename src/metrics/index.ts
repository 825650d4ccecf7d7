/** Metrics of anomaly detection, for anybody's scores, maps and masks: `import { metrics } from 'crane-native'`. */

export type {
  AuproAtLimit,
  BestF1,
  ClassMetrics,
  Confusion,
  Curve,
  Metric,
  PixelMetrics,
  RankingMetrics,
  Remarks,
  ScoreHistogram,
  UndefinedReason,
} from '../addon/metric-results.js';
export { type EvaluateMappedRequest, type EvaluateRequest, evaluate, evaluateMapped } from './evaluate.js';
export { createEvaluator, type Evaluator } from './evaluator.js';
export type { FlatArray, MappedClass } from './mapped-class.js';
export type { EvaluateOptions } from './options.js';
export type { EvaluatedPicture, MapValues, MaskValues } from './picture.js';
export type { Evaluation, Mean, Means } from './result.js';
