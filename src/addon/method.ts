/** Settings of a method, as the engine addon takes them. */

/**
 * How features become scores: a method and all its settings, complete. Given per call; defaults come from model.json. What
 * the settings are is the method's (src/methods); those named here the engine reads itself.
 */
export interface MethodOptions {
  /** a method of native/methods; absent: Crane, as in all records of the first version */
  name?: string;
  /** the part of the picture's score that is its score, or 'map-max' */
  imageScore: string;
  /** standard deviation of the Gaussian over the map, in pixels of the model's input; 0 turns it off */
  sigma: number;
  [setting: string]: unknown;
}

export type EAttnKind = 'vv' | 'kk' | 'qq' | 'qq+kk' | 'qq+kk+vv' | '(q+k+v)^2';
export type Guidance = 'none' | 'pad-suffix' | 'pad-prefix' | 'replace-suffix' | 'replace-prefix';

/** Numerics in which paper, reference and this engine part (method.md 10). */
export interface Compat {
  /** mean(S) of D-Attn over the whole call instead of per picture */
  batchMean: boolean;
  /** the deep tokens are rounded to half precision in the forward pass */
  halfDeepTokens: boolean;
  /** every listed feature layer shows the final e; false: the true intermediate e of each layer */
  aliasedFeatures: boolean;
  /** a D-Attn row that keeps nothing: 'self' keeps its own patch, 'nan' gives NaN as the reference does */
  emptyRows: 'self' | 'nan';
  /** D-Attn at each of these blocks (1-based); empty: at the last block only */
  dAttnLayers: number[];
  /** start and end rows of the prompt file before the token table's; absent: false */
  storedTokens?: boolean;
}

/** Crane and Crane+. */
export interface CraneOptions extends MethodOptions {
  eAttn: EAttnKind;
  /** number of last blocks that carry the second stream */
  eAttnLayers: number;
  /** 1-based block numbers */
  features: number[];
  softMean: boolean;
  /** use the spatial source (Crane+) */
  dAttn: boolean;
  /** with D-Attn: both maps, or D-Attn's alone */
  maps: 'both' | 'dattn';
  /** multiplies mean(S) in D-Attn: 1.2 for DINO and DINOv2, 1.08 for SAM */
  dAttnBeta: number;
  fusion: boolean;
  imageScore: 'fused' | 'map-max';
  guidanceAtTest: Guidance;
  temperature: number;
  compat: Compat;
}

/** A method's facts as the engine has them; those of src/methods say the same. */
export interface MethodFacts {
  /** of a picture's score by name, 'map-max' last */
  parts: string[];
  couplesPictures: boolean;
  isRecordable: boolean;
  mayBeNan: boolean;
}
