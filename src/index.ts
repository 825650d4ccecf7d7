/** crane-native as a library. */
export { AnomalyMap } from './engine/anomaly-map.js';
export type { Engine, Facts, PreprocessedOptions, PreprocessedScore } from './engine/engine.js';
export { loadEngine } from './engine/load-engine.js';
export type { PictureSettings } from './engine/method-choice.js';
export type { EAttnKind, EngineFacts, Fit, Guidance, MethodOptions, Region } from './engine/native.js';
export {
  type FailedPicture,
  isFailed,
  type PictureScore,
  type ScoreOutcome,
  type Timings,
} from './engine/result.js';
export type { PictureItem } from './engine/score-many.js';
export { CraneError, type ErrorCode, errorTable } from './errors.js';
export type { PictureInput, RawPicture } from './images/picture-input.js';
export type {
  CompatOptions,
  EngineOptions,
  MethodChoices,
  PictureChoices,
  ScoreManyOptions,
  ScoreOptions,
  Size,
} from './option-types.js';
