/** A result as it is written: the contract's fields, in its order, ready for JSON. */
import type { Region } from '../addon/native.js';
import {
  type FailedPicture,
  isFailed,
  type PictureScore,
  type ScoreOutcome,
  type Timings,
} from '../engine/result.js';

/** With `--format coco` its outline too: x, y, x, y, ... of a polygon, holes cut open. */
export type RegionLine = Region & { outline?: number[] };

export type ScoredLine = Omit<PictureScore, 'map' | 'mapMax' | 'heatmap' | 'regions' | 'ms'> & {
  regions?: RegionLine[] | null;
  map?: string;
  heatmap?: string;
  labelme?: string;
  ms?: Timings;
};
export type ResultLine = ScoredLine | FailedPicture;

export interface WrittenFiles {
  map?: string;
  heatmap?: string;
  labelme?: string;
}

/** @param outlines of its regions, where the line is to hold them */
export function toResultLine(
  outcome: ScoreOutcome,
  files: WrittenFiles,
  hasTimings: boolean,
  outlines?: readonly number[][],
): ResultLine {
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
    backgroundPatches,
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
    ...(backgroundPatches === undefined ? {} : { backgroundPatches }),
    ...(bitDepth === undefined ? {} : { bitDepth }),
    ...(valueRange === undefined ? {} : { valueRange }),
    ...(warnings === undefined ? {} : { warnings }),
    ...(regions === undefined ? {} : { regions: withOutlines(regions, outlines) }),
    ...files,
    model,
    ...(hasTimings ? { ms: rounded(ms) } : {}),
  };
}

function withOutlines(
  regions: Region[] | null,
  outlines: readonly number[][] | undefined,
): RegionLine[] | null {
  if (regions === null || outlines === undefined) return regions;
  return regions.map((region, at) => ({ ...region, outline: outlines[at]! }));
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
