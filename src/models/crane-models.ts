/** model.json of `crane` and `crane+`: the published settings (method.md 1, 5, 9) around given weight files. */

import type { CraneOptions, TowerConfig } from '../addon/native.js';
import { defaultMethod } from '../methods/registry.js';
import { backbones, clipTowers } from './backbones.js';
import { type ModelDescription, parseModelJson } from './model-json.js';
import type { CraneKind, SourceKind } from './model-names.js';

/** OpenAI's CLIP; its position grid is fitted bilinearly (method.md 3). */
export const { vision: clipVision, text: clipText } = clipTowers({
  activation: backbones['ViT-L-14-336px'].activation,
  positions: 'bilinear',
});

interface SourceFacts {
  /** how its position grid is fitted to the input */
  positions: TowerConfig['positionInterpolation'];
  /** what multiplies the mean cosine (method.md 4) */
  beta: number;
}

/** A kind without its row does not compile. */
const sources: Record<SourceKind, SourceFacts> = {
  // with antialiasing to the exact size
  dinov2: { positions: { kind: 'bicubic-antialias', offset: 0 }, beta: 1.2 },
  // to (n + 0.1) / 28
  dino: { positions: { kind: 'bicubic', offset: 0.1 }, beta: 1.2 },
  // resizes the picture instead, and reads nothing of this
  sam: { positions: { kind: 'bicubic', offset: 0.1 }, beta: 1.08 },
};

export function sourceVision(kind: SourceKind): TowerConfig {
  return {
    activation: 'gelu',
    layerNormEps: 1e-6,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    positionInterpolation: sources[kind].positions,
    blocks: 0,
  };
}

export function sourceBeta(kind: SourceKind): number {
  return sources[kind].beta;
}

/** The two texts; the twelve X are replaced by learned vectors (method.md 5). */
export const craneTexts = {
  normal: `${'X '.repeat(12)}object.`,
  anomalous: `${'X '.repeat(12)}damaged object.`,
};

/** The default rows of method.md 9; Crane+ on DAGM and on medical pictures takes softMean. */
export function craneMethod(kind: CraneKind): CraneOptions {
  const plus = kind === 'crane' ? {} : { features: [24], softMean: false, dAttn: true };
  return { ...(defaultMethod('crane') as CraneOptions), ...plus };
}

export interface WeightPart {
  file: string;
  sha256: string;
  bytes: number;
}

export type PromptSetTable = ModelDescription['prompts'];

export interface CraneParts {
  kind: CraneKind;
  name: string;
  description: string;
  licence: string;
  weights: WeightPart;
  /** Crane+ only */
  source?: WeightPart;
  /** what the source is; DINOv2 unless said */
  sourceKind?: SourceKind;
  prompts: PromptSetTable;
}

/** @throws CraneError E_MODEL_JSON when the parts do not make a model */
export function describeCrane(parts: CraneParts): ModelDescription {
  const { kind, name, description, licence, weights, source, sourceKind = 'dinov2', prompts } = parts;
  const model: ModelDescription = {
    name,
    version: '1',
    description,
    licence,
    weights: [weights],
    ...(source ? { source: { weights: source, tower: sourceVision(sourceKind) } } : {}),
    input: { width: 518, height: 518 },
    vision: clipVision,
    text: clipText,
    prompts,
    method: { ...craneMethod(kind), dAttnBeta: sourceBeta(sourceKind) },
    // A threshold belongs to a data set, not to a model.
    threshold: null,
    mapThreshold: null,
  };
  return parseModelJson(toText(model), `model.json of ${name}`);
}

export function toText(model: ModelDescription): string {
  return `${JSON.stringify(model, null, 2)}\n`;
}
