/** crane-native as a library. */

export type { EAttnKind, EngineFacts, Fit, Guidance, MethodOptions, Region } from './addon/native.js';
export { type CalibrateOptions, type CalibrationOutcome, calibrate } from './calibrate/calibrate.js';
export type { DataItem, DataSet, Split } from './data/data-set.js';
export { type OpenDataSetOptions, openDataSet } from './data/open-data-set.js';
export type { Engine, Facts, PreprocessedOptions } from './engine/engine.js';
export type { LearnNormalsOptions, NormalPicture, NormalsSource } from './engine/learn-normals.js';
export { loadEngine } from './engine/load-engine.js';
export type { PictureSettings } from './engine/method-choice.js';
export type {
  PictureItem,
  ScoreCallOptions as ScoreOptions,
  ScoreManyCallOptions as ScoreManyOptions,
} from './engine/picture-item.js';
export {
  type FailedPicture,
  isFailed,
  type PictureScore,
  type PreprocessedScore,
  type ScoreOutcome,
  type Timings,
} from './engine/result.js';
export type { QueueState } from './engine/scheduler.js';
export type { ScoreMutualOptions } from './engine/score-mutual.js';
export { CraneError, type ErrorCode, errorTable } from './errors.js';
export {
  type EvaluateDataSetsOptions,
  evaluateDataSets,
  type TestProgress,
} from './evaluate/evaluate-data-sets.js';
export { AnomalyMap } from './images/anomaly-map.js';
export type { PictureInput } from './images/picture-input.js';
export type { BayerName, RawPicture } from './images/raw-frame.js';
export { type Corner, type RegionOutline, regionOutlines } from './images/region-outlines.js';
export * as metrics from './metrics/index.js';
export type { Calibration } from './models/calibration.js';
export type { BankFacts } from './normals/bank-facts.js';
export { NormalBank, type SaveBankOptions } from './normals/normal-bank.js';
export type { PresetName } from './options/preset-names.js';
export type {
  CompatOptions,
  DataChoices,
  EngineOptions,
  EngineWarning,
  HeatMapOptions,
  LearnNormalsChoices,
  LoadProgress,
  MethodChoices,
  PictureChoices,
  PictureProgress,
  Roi,
  Size,
  TestChoices,
  TrainChoices,
} from './options/types.js';
export type { PublishedComparison, PublishedRow } from './runs/paper/published.js';
export { mapOf, readTestRun } from './runs/read-run.js';
export {
  type Examples,
  type ImageIntervals,
  type Interval,
  isScored,
  type ScoredPicture,
  type TestedClass,
  type TestedDataSet,
  type TestedPicture,
  type TestRun,
  type TestSettings,
  type UnscoredPicture,
} from './runs/test-run.js';
export type { LeftOut, LeftOutReason, ScanReport } from './scan/scan-account.js';
export {
  type CocoFile,
  type LabelmeFile,
  type OutlinedPicture,
  type OutlineFileOptions,
  outlinesToCoco,
  outlinesToLabelme,
} from './sinks/outline-files.js';
export type { LearnedPrompts, TrainOutcome } from './train/outcome.js';
export type { TrainPlan } from './train/plan.js';
export type { TrainProgress } from './train/progress.js';
export { createTrainer, type RunOptions, type Trainer, type TrainerOptions } from './train/trainer.js';
export type { TrainingRun } from './train/training-run.js';
