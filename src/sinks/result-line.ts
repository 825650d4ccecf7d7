/** A result as it is written: the contract's fields, in its order, ready for JSON. */
import {
  type FailedPicture,
  isFailed,
  type PictureScore,
  type ScoreOutcome,
  type Timings,
} from '../engine/result.js';

export type ScoredLine = Omit<PictureScore, 'map' | 'mapMax' | 'heatmap' | 'ms'> & {
  map?: string;
  heatmap?: string;
  ms?: Timings;
};
export type ResultLine = ScoredLine | FailedPicture;

export interface WrittenFiles {
  map?: string;
  heatmap?: string;
}

export function toResultLine(outcome: ScoreOutcome, files: WrittenFiles, hasTimings: boolean): ResultLine {
  if (isFailed(outcome)) return outcome;
  const {
    input,
    index,
    score,
    anomalous,
    threshold,
    width,
    height,
    roi,
    ignoredPixels,
    bitDepth,
    valueRange,
    warnings,
    regions,
    model,
    ms,
  } = outcome;
  return {
    input,
    index,
    score,
    anomalous,
    threshold,
    width,
    height,
    ...(roi === undefined ? {} : { roi }),
    ...(ignoredPixels === undefined ? {} : { ignoredPixels }),
    ...(bitDepth === undefined ? {} : { bitDepth }),
    ...(valueRange === undefined ? {} : { valueRange }),
    ...(warnings === undefined ? {} : { warnings }),
    ...(regions === undefined ? {} : { regions }),
    ...files,
    model,
    ...(hasTimings ? { ms: rounded(ms) } : {}),
  };
}

/** Hundredths of a millisecond are enough. */
function rounded(ms: Timings): Timings {
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    decode: round(ms.decode),
    preprocess: round(ms.preprocess),
    forward: round(ms.forward),
    postprocess: round(ms.postprocess),
  };
}
