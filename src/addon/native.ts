/**
 * What the engine addon offers to TypeScript. bindings/ implements exactly this; nothing else in src/
 * knows native code. Everything that takes longer than a millisecond returns a promise and runs on the
 * engine's own threads. Rejections carry `code` and `hint` (see errors.ts).
 */

import type { MetricOptions, NativeMetricEvaluator } from './metrics.js';
import type { FeatureShape, FreshPrompts, NativeTraining, SavedTraining, TrainOptions } from './training.js';

/**
 * How Pillow would have opened the picture; decides how it is resized (method.md 2).
 * 'P' is a palette picture already expanded to RGB: nearest neighbour. 'RGBA' is resized premultiplied, then
 * alpha is dropped; 'LA' likewise. 'I;16' is 16-bit grey: resized in floating point, then clipped at 255.
 */
export type PictureMode = 'L' | 'LA' | 'RGB' | 'RGBA' | 'P' | 'I;16';

/** A decoded picture: interleaved rows, top to bottom, no padding. */
export interface NativePicture {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
  mode: PictureMode;
}

export type EAttnKind = 'vv' | 'kk' | 'qq' | 'qq+kk' | 'qq+kk+vv' | '(q+k+v)^2';
export type Guidance = 'none' | 'pad-suffix' | 'pad-prefix' | 'replace-suffix' | 'replace-prefix';
export type Fit = 'stretch' | 'pad' | 'tile';

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
}

/**
 * Number format of the products in the vision towers. Sums, softmax, LayerNorm and everything from the features on
 * are float32 in each.
 */
export type Precision = 'float32' | 'bfloat16' | 'float16';

/** How features become scores. Given per call; defaults come from model.json. */
export interface MethodOptions {
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
  /** standard deviation of the Gaussian over the map, in pixels of the model's input; 0 turns it off */
  sigma: number;
  compat: Compat;
}

/** One tower of vision: what its tensors cannot tell. */
export interface TowerConfig {
  /** 'quick-gelu' (OpenAI's CLIP) or 'gelu' */
  activation: 'quick-gelu' | 'gelu';
  layerNormEps: number;
  mean: [number, number, number];
  std: [number, number, number];
  /** how the position grid is fitted to another number of patches; `offset` is DINOv2's 0.1 */
  positionInterpolation: { kind: 'bilinear' | 'bicubic' | 'bicubic-antialias'; offset: number };
  /** use only the first n blocks; 0: all */
  blocks: number;
}

export interface EngineConfig {
  /** weight files that together hold the vision tower and the text tower (any container, any known naming) */
  weights: string[];
  /** tensors that complete the files, made when the engine opens; `name` is what messages call them */
  recipes?: { name: string; tensors: SynthTensor[] }[];
  vision: TowerConfig;
  text: { activation: 'quick-gelu' | 'gelu'; layerNormEps: number };
  /** the spatial source of D-Attn */
  source?: { weights: string; tower: TowerConfig };
  /** input of the model in pixels */
  height: number;
  width: number;
  device: string;
  /** float32 where it is not given */
  precision?: Precision;
  threads: number;
  /** where packed weights are kept between starts; `identity` tells the weight files apart */
  startCache?: { folder: string; identity: string };
}

/** A vision tower's packed weights: mapped from the start cache, written there now, or in memory only. */
export type Packed = 'mapped' | 'written' | 'memory';

/** Read from the tensors when the engine was opened. */
export interface EngineFacts {
  patch: number;
  vision: { width: number; layers: number; heads: number; parameters: number; packed: Packed };
  text: { width: number; layers: number; heads: number; parameters: number };
  source?: {
    width: number;
    layers: number;
    heads: number;
    registers: number;
    parameters: number;
    packed: Packed;
  };
  jointWidth: number;
  device: string;
  precision: Precision;
  /** the face of every kernel at this precision, as `info()` gives it for float32 */
  kernels: string;
  threads: number;
  /** why packed weights could not be kept */
  packedFailure?: string;
  /** bytes of weights held, and an upper estimate of what one picture needs on top */
  weightBytes: number;
  workingBytes: number;
}

/** A prompt set: learned vectors from a file plus the token ids of the two texts (77 ids each, tokenizer.ts). */
export interface PromptSource {
  path: string;
  normalIds: Int32Array;
  anomalousIds: Int32Array;
  /** a file that has, or gets, the two encoded vectors */
  keptVectors?: string;
}

export interface ScoreRequest {
  picture: NativePicture;
  /** handle from addPrompts */
  prompts: number;
  fit: Fit;
  /** overlap of neighbouring tiles, as a share of their side, for fit 'tile' */
  tileOverlap: number;
  wantMap: boolean;
}

export interface ScoreResult {
  /** what `imageScore` names */
  score: number;
  fusedScore: number;
  mapMax: number;
  /**
   * Shows the whole picture and nothing else, row-major, after the Gaussian. For fit 'stretch' in the model's size,
   * otherwise in the size of the merged map.
   */
  map?: { data: Float32Array; width: number; height: number };
  ms: { preprocess: number; forward: number; postprocess: number };
}

/** Cancels everything that was started with it and has not begun; set `cancelled` from JavaScript. */
export interface CancelFlag {
  cancel(): void;
}

export interface TraceResult {
  [stage: string]: { shape: number[]; data: Float32Array };
}

export interface NativeEngine {
  readonly facts: EngineFacts;
  addPrompts(source: PromptSource, method: MethodOptions): Promise<number>;
  removePrompts(handle: number): void;
  /** The two text vectors of a set, [2, D] row-major, normal first. */
  textFeatures(handle: number): Promise<Float32Array>;
  /** Scores do not depend on which pictures share a call (except under compat.batchMean). */
  score(requests: ScoreRequest[], method: MethodOptions, cancel?: CancelFlag): Promise<ScoreResult[]>;
  /** input: [batch, 3, height, width] normalised with the vision tower's constants. */
  scorePreprocessed(
    input: Float32Array,
    shape: { batch: number; height: number; width: number },
    prompts: number,
    method: MethodOptions,
    wantMap: boolean,
    cancel?: CancelFlag,
  ): Promise<ScoreResult[]>;
  /** Every inner stage by name, for parity tests and research. Same input as scorePreprocessed. */
  trace(
    input: Float32Array,
    shape: { batch: number; height: number; width: number },
    prompts: number,
    method: MethodOptions,
  ): Promise<TraceResult>;
  /** Stages of the text tower, unguided or with image features [B, D] as guidance. */
  traceText(
    source: PromptSource,
    method: MethodOptions,
    guidance: Guidance,
    imageFeatures: Float32Array | undefined,
  ): Promise<TraceResult>;
  /** Starts to learn from a copy of a file's prompts, from fresh ones, or goes on with a saved training. */
  beginTraining(
    start: PromptSource | FreshPrompts | SavedTraining,
    options: TrainOptions,
  ): Promise<NativeTraining>;
  /** What writeFeatures writes with this method. E_MODEL_CONFIG where features cannot be kept (compat.batchMean). */
  featureShape(method: MethodOptions): FeatureShape;
  /**
   * Runs the vision towers and writes each picture's features to its file, whole or not at all; pictures are stretched
   * to the model's input. 'f16' halves the size and rounds.
   */
  writeFeatures(
    pictures: { picture: NativePicture; path: string }[],
    precision: 'f16' | 'f32',
    method: MethodOptions,
    cancel?: CancelFlag,
  ): Promise<void>;
  /** Frees weights and buffers once the work in flight is done. */
  dispose(): Promise<void>;
}

export interface TensorInfo {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
}

export interface WeightFileInfo {
  container: 'safetensors' | 'torch-zip' | 'torchscript';
  /** naming family found, for instance 'openai-clip', 'dinov2', 'hf-clip', 'prompts'; '' when unknown */
  naming: string;
  metadata: Record<string, string>;
  tensors: TensorInfo[];
}

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
  area: number;
  peak: number;
  mean: number;
}

export interface NativeAddon {
  info(): Promise<{
    /** version of crane-native this addon was built from */
    version: string;
    /** libtorch it was built against and build id of that libtorch_cpu */
    libtorch: string;
    libtorchBuildId: string;
    /** our CUDA kernels are compiled in */
    cuda: boolean;
    /** best instruction set of this CPU, lowered by CRANE_MAX_ISA: 'avx512bf16', 'avx512', 'avx2' or 'plain' */
    isa: string;
    /**
     * the face of every kernel with several for float32, chosen once per process and independent of the work, as
     * 'linear=avx512,attention=avx512,affinity=avx512': given back as CRANE_KERNELS it forces the same bits
     */
    kernels: string;
    /** what engines on the CPU may have here */
    precisions: Precision[];
    devices: string[];
  }>;
  /** Size of the compute thread's OpenMP team, shared by all engines of the process; 0: physical cores. */
  setThreads(threads: number): Promise<number>;

  /**
   * Stops what runs at its next step and waits for it; nothing starts any more, in no thread of this process.
   * For the moment before the process exits: a forward pass that outlives libtorch's statics would crash.
   */
  shutDown(): void;

  openEngine(config: EngineConfig): Promise<NativeEngine>;
  createCancelFlag(): CancelFlag;

  // weights
  inspectWeights(path: string): Promise<WeightFileInfo>;
  /** Values of one tensor as stored, converted to f32 (floating types) or as i32/i64/u8 arrays. */
  readTensor(
    path: string,
    name: string,
  ): Promise<{
    dtype: string;
    shape: number[];
    data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
  }>;
  /** Checks names, shapes and finiteness of every tensor; rejects with the first fault's code. */
  verifyWeights(path: string): Promise<WeightFileInfo>;
  /** Writes a safetensors file with the canonical names; dtype 'f32' or 'f16'. Whole or not at all. */
  convertWeights(
    inputs: string[],
    output: string,
    dtype: 'f32' | 'f16',
    metadata: Record<string, string>,
  ): Promise<void>;
  /** Writes tensors made by the recipe of parity/README.md into one safetensors file. */
  synthWeights(output: string, tensors: SynthTensor[], metadata: Record<string, string>): Promise<void>;

  // training
  /** Reads a file of the feature cache from end to end and compares its checksum. */
  checkFeatures(path: string, shape: FeatureShape): Promise<'whole' | 'damaged' | 'missing'>;
  /**
   * Anomalous pixels of each patch, [grid height * grid width]: the mask is resized to the model's input (width,
   * height) as for scoring, then counted by the rule of nearest upsampling.
   */
  countCells(
    mask: NativePicture,
    width: number,
    height: number,
    grid: { width: number; height: number },
  ): Promise<Uint32Array>;
  /** Order of `count` pictures in epoch `epoch` (from 0) as the reference draws it with this seed (method.md 7). */
  referenceOrder(seed: number, count: number, epoch: number): Promise<Int32Array>;

  // pictures; all of them equal Pillow bit for bit
  /** [height, width, 3] u8 -> [3, height, width]: (v/255 - mean)/std in float32. */
  normalise(
    rgb: Uint8Array,
    width: number,
    height: number,
    mean: [number, number, number],
    std: [number, number, number],
  ): Promise<Float32Array>;
  /** Resizes and converts to RGB, [height, width, 3]. */
  resizePicture(picture: NativePicture, width: number, height: number): Promise<Uint8Array>;
  /** 1 where the mask is anomalous, [height, width] (method.md 2, step 2). */
  resizeMask(mask: NativePicture, width: number, height: number): Promise<Uint8Array>;
  /** bilinear, align_corners false */
  resizeMap(
    map: Float32Array,
    width: number,
    height: number,
    toWidth: number,
    toHeight: number,
  ): Promise<Float32Array>;
  /** RGB overlay [height, width, 3] of a map on a picture; colours run from `low` to `high`. */
  overlay(
    picture: NativePicture,
    map: Float32Array,
    mapWidth: number,
    mapHeight: number,
    low: number,
    high: number,
  ): Promise<Uint8Array>;
  /** 8-connected areas of the map at or above the threshold, in the map's own pixels, largest peak first. */
  regions(map: Float32Array, width: number, height: number, threshold: number): Promise<Region[]>;

  // speed
  /**
   * Times libtorch's products of two [size, size] matrices on the compute thread, mean of `repeats`; making the matrices
   * and a first product are not counted. `cpuSeconds` is processor time of all threads of the process.
   */
  timeGemm(
    size: number,
    repeats: number,
    precision: Precision,
    device: string,
  ): Promise<{ seconds: number; cpuSeconds: number }>;

  // metrics
  /** E_USAGE for options that make no sense. */
  createMetricEvaluator(options: MetricOptions): NativeMetricEvaluator;
}

export interface SynthTensor {
  /** the recipe hashes `${salt}:${name}` */
  salt: string;
  name: string;
  shape: number[];
  /** null: constant */
  exponent: number | null;
  base: number;
  dtype: 'f32' | 'f16' | 'i32';
  /** columns with index >= this are multiplied by columnScale after the recipe (RECIPE.md) */
  columnFrom?: number;
  columnScale?: number;
  /** dtype 'i32': the values themselves, as many as the shape holds, instead of exponent and base */
  values?: number[];
}
