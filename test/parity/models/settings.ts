/** From a case's settings to the engine's own words. Only what the fixtures cannot tell by tensors is written here. */
import type { Compat, CraneOptions, Guidance, Material, TowerConfig } from '#crane/addon/native.js';

/** One entry of cases.json. */
export interface CaseSettings {
  vfm: string;
  features_list: number[];
  soft_mean: boolean;
  attn_type: string;
  both_eattn_dattn: boolean;
  use_scorebase_pooling: boolean;
  image_size: number;
  context_guidance: string;
  images: (number | string)[];
  note?: string;
}

/** What the reference does and this engine by default does not; each is switched on by the cases that show it. */
export const referenceCompat: Compat = {
  batchMean: false,
  halfDeepTokens: true,
  aliasedFeatures: true,
  emptyRows: 'self',
  dAttnLayers: [],
};

/** The reference replaces the last 19 blocks whatever the depth (method.md 3). */
const eAttnLayers = 19;

const eAttnKinds: readonly CraneOptions['eAttn'][] = ['vv', 'kk', 'qq', 'qq+kk', 'qq+kk+vv', '(q+k+v)^2'];

export function methodOf(settings: CaseSettings, compat: Partial<Compat> = {}): CraneOptions {
  const eAttn = eAttnKinds.find((kind) => kind === settings.attn_type);
  if (!eAttn) throw new Error(`cases.json: unknown attn_type "${settings.attn_type}"`);
  return {
    eAttn,
    eAttnLayers,
    features: settings.features_list,
    softMean: settings.soft_mean,
    dAttn: settings.vfm !== 'none',
    maps: settings.both_eattn_dattn ? 'both' : 'dattn',
    dAttnBeta: settings.vfm === 'sam' ? 1.08 : 1.2,
    fusion: settings.use_scorebase_pooling,
    imageScore: 'fused',
    guidanceAtTest: guidanceOf(settings.context_guidance),
    temperature: 0.07,
    sigma: 4,
    compat: { ...referenceCompat, ...compat },
  };
}

export const placements: readonly Guidance[] = [
  'none',
  'replace-prefix',
  'replace-suffix',
  'pad-prefix',
  'pad-suffix',
];

export function guidanceOf(context_guidance: string): Guidance {
  if (context_guidance === 'off') return 'none';
  const wanted = context_guidance.replace('_', '-');
  const guidance = placements.find((placement) => placement === wanted);
  if (!guidance) throw new Error(`cases.json: unknown context_guidance "${context_guidance}"`);
  return guidance;
}

/** Switches under which the reference's own behaviour shows (method.md 10). */
export function compatOf(settings: CaseSettings, fixtureHasNan: boolean): Partial<Compat> {
  const dAttn = settings.vfm !== 'none';
  return {
    ...(dAttn && settings.images.length > 1 ? { batchMean: true } : {}),
    ...(dAttn && settings.features_list.length > 1 ? { dAttnLayers: settings.features_list } : {}),
    ...(fixtureHasNan ? { emptyRows: 'nan' as const } : {}),
  };
}

export const openaiMean: [number, number, number] = [0.48145466, 0.4578275, 0.40821073];
export const openaiStd: [number, number, number] = [0.26862954, 0.26130258, 0.27577711];

export const clipTower: TowerConfig = {
  activation: 'quick-gelu',
  layerNormEps: 1e-5,
  mean: openaiMean,
  std: openaiStd,
  positionInterpolation: { kind: 'bilinear', offset: 0 },
  blocks: 0,
};

export const clipText = { activation: 'quick-gelu', layerNormEps: 1e-5 } as const;

/**
 * DINOv2 with registers fits its position grid to the exact size; DINOv2 without them and DINO by a scale factor with
 * offset 0.1. SAM never fits it.
 */
export function sourceTower(hasRegisters: boolean): TowerConfig {
  return {
    activation: 'gelu',
    layerNormEps: 1e-6,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    positionInterpolation: hasRegisters
      ? { kind: 'bicubic-antialias', offset: 0 }
      : { kind: 'bicubic', offset: 0.1 },
    blocks: 0,
  };
}

/** Spatial sources of the fixtures. */
export const builtSources: ReadonlySet<string> = new Set(['none', 'dinov2', 'dinov2_noreg', 'dino', 'sam']);

/**
 * The two texts (method.md 5): start, one "X" per context row, ["damaged"], "object", ".", end, zeros up to 77.
 * The rows of the X are replaced by the learned context, so their number must equal that of the context rows.
 */
export function promptIds(contextRows: number): { normalIds: Int32Array; anomalousIds: Int32Array } {
  const [start, x, damaged, object, stop, end] = [49406, 343, 13568, 14115, 269, 49407];
  const padded = (words: number[]) => {
    const ids = new Int32Array(77);
    ids.set([start, ...new Array<number>(contextRows).fill(x), ...words, end]);
    return ids;
  };
  return { normalIds: padded([object, stop]), anomalousIds: padded([damaged, object, stop]) };
}

/** What the fixtures' prompts of this file are scored with. */
export function promptMaterial(path: string, contextRows: number): Material {
  const { normalIds, anomalousIds } = promptIds(contextRows);
  return { texts: { normal: [normalIds], anomalous: [anomalousIds] }, files: { prompts: path } };
}
