/** From what a call gives to the complete method settings that the engine wants. */
import { isDeepStrictEqual } from 'node:util';
import type { Fit, MethodOptions, Precision } from '../addon/native.js';
import type { ModelDescription } from '../models/model-json.js';
import { defaultOf } from '../options/table.js';
import type { MethodChoices, PictureChoices } from '../options/types.js';

export type ThresholdSource = 'call' | 'model' | 'calibration';

/** Everything that decides one picture's score, complete. */
export interface PictureSettings {
  method: MethodOptions;
  /** name of a set or path; undefined: the model's default set */
  prompts: string | undefined;
  fit: Fit;
  tileOverlap: number;
  threshold: number | null;
  mapThreshold: number | null;
  /** the call or the engine's options, model.json's own threshold, a calibration of these settings; null: there is none */
  thresholdFrom: ThresholdSource | null;
  mapThresholdFrom: ThresholdSource | null;
  exif: boolean;
}

/** What decides scores and is fixed when an engine is loaded. */
export interface EngineSettings {
  size: { width: number; height: number };
  precision: Precision;
}

/** Later choices win over earlier ones; fields that are undefined say nothing. */
export function resolveSettings(
  model: ModelDescription,
  engine: EngineSettings,
  ...choices: PictureChoices[]
): PictureSettings {
  const merged = mergeChoices(choices);
  const method = resolveMethod(model.method, merged);
  const fit = merged.fit ?? defaultOf('fit');
  // A stored threshold was calibrated with the model's own settings and is wrong for others.
  const isCalibrated = areOwnSettings(model, engine, { prompts: merged.prompts, fit, method });
  const choose = (given: number | null | undefined, stored: number | null) => {
    if (given !== undefined) return { value: given, from: 'call' as const };
    return isCalibrated && stored !== null
      ? { value: stored, from: 'model' as const }
      : { value: null, from: null };
  };
  const threshold = choose(merged.threshold, model.threshold);
  const mapThreshold = choose(merged.mapThreshold, model.mapThreshold);
  return {
    method,
    prompts: merged.prompts,
    fit,
    tileOverlap: merged.tileOverlap ?? defaultOf('tileOverlap'),
    threshold: threshold.value,
    thresholdFrom: threshold.from,
    mapThreshold: mapThreshold.value,
    mapThresholdFrom: mapThreshold.from,
    exif: merged.compat?.exif ?? defaultOf('compat.exif'),
  };
}

/** A score depends on who shares the forward pass. */
export function couplesPictures(method: MethodOptions): boolean {
  return method.compat.batchMean;
}

/** The settings that model.json's `threshold` and `mapThreshold` hold for. */
export function areOwnSettings(
  model: ModelDescription,
  { size, precision }: EngineSettings,
  { prompts, fit, method }: Pick<PictureSettings, 'prompts' | 'fit' | 'method'>,
): boolean {
  return (
    (prompts === undefined || prompts === model.prompts.default) &&
    fit === defaultOf('fit') &&
    precision === 'float32' &&
    size.width === model.input.width &&
    size.height === model.input.height &&
    isDeepStrictEqual(method, model.method)
  );
}

export function mergeChoices(choices: PictureChoices[]): PictureChoices {
  const merged: Record<string, unknown> = {};
  const compat: Record<string, unknown> = {};
  for (const choice of choices) {
    for (const [name, value] of Object.entries(choice))
      if (value !== undefined && name !== 'compat') merged[name] = value;
    for (const [name, value] of Object.entries(choice.compat ?? {}))
      if (value !== undefined) compat[name] = value;
  }
  return { ...merged, compat } as PictureChoices;
}

/** `dAttnMaps` of the options is the method's `maps`: the only option whose name differs (see options.ts). */
function resolveMethod(base: MethodOptions, choice: MethodChoices): MethodOptions {
  const { compat } = choice;
  return {
    eAttn: choice.eAttn ?? base.eAttn,
    eAttnLayers: choice.eAttnLayers ?? base.eAttnLayers,
    features: choice.features ?? base.features,
    softMean: choice.softMean ?? base.softMean,
    dAttn: choice.dAttn ?? base.dAttn,
    maps: choice.dAttnMaps ?? base.maps,
    dAttnBeta: choice.dAttnBeta ?? base.dAttnBeta,
    fusion: choice.fusion ?? base.fusion,
    imageScore: choice.imageScore ?? base.imageScore,
    guidanceAtTest: choice.guidanceAtTest ?? base.guidanceAtTest,
    temperature: choice.temperature ?? base.temperature,
    sigma: choice.sigma ?? base.sigma,
    compat: {
      batchMean: compat?.batchMean ?? base.compat.batchMean,
      halfDeepTokens: compat?.halfDeepTokens ?? base.compat.halfDeepTokens,
      aliasedFeatures: compat?.aliasedFeatures ?? base.compat.aliasedFeatures,
      emptyRows: compat?.emptyRows ?? base.compat.emptyRows,
      dAttnLayers: compat?.dAttnLayers ?? base.compat.dAttnLayers,
    },
  };
}
