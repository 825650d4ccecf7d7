/**
 * What the engine addon offers to TypeScript, its types by subject in the files beside. bindings/ implements exactly this;
 * nothing else in src/
 * knows native code. Everything that takes longer than a millisecond returns a promise and runs on the
 * engine's own threads. Rejections carry `code` and `hint` (see errors.ts).
 */

import type { CancelFlag, EngineConfig, NativeEngine } from './engine.js';
import type { MethodFacts, MethodOptions } from './method.js';
import type { ImageIntervals } from './metric-results.js';
import type {
  BestThreshold,
  LabelledScores,
  MetricOptions,
  MetricPicture,
  NativeMapLevels,
  NativeMetricEvaluator,
  Resampling,
} from './metrics.js';
import type { NativePicture, Region } from './picture.js';
import type { Precision } from './precision.js';
import type { FeatureCheck, FeatureShape, MaskCells } from './training.js';
import type { SynthTensor, TokenComparison, WeightFileInfo } from './weights.js';

export type * from './engine.js';
export type * from './material.js';
export type * from './method.js';
export type * from './picture.js';
export type * from './precision.js';
export type * from './trace.js';
export type * from './weights.js';

export interface PeakRate {
  format: 'float32' | 'bfloat16' | 'int8';
  /** instruction set: avx512, amx; ref: what any CPU of its kind has */
  face: string;
  /** "VFMADD, 512 bits" */
  instruction: string;
  /** of all threads together; a multiply-add is two */
  operations: number;
  seconds: number;
  /** processor time of all threads */
  cpuSeconds: number;
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
    /** best instruction set of this CPU, lowered by CRANE_MAX_ISA: 'avx512bf16', 'avx512', 'avx2', 'neonbf16', 'neon' or 'plain' */
    isa: string;
    /**
     * the face of every kernel with several for float32, chosen once per process and independent of the work, as
     * 'linear=avx512,attention=avx512,affinity=avx512,nearest=avx512': given back as CRANE_KERNELS it forces the same bits
     */
    kernels: string;
    /** what engines on the CPU may have here */
    precisions: Precision[];
    devices: string[];
    /**
     * weights that engines on the CPU hold now, in all threads of the process, each counted once however many engines
     * use it: tensors of the same file, unchanged, at the same precision are held once
     */
    sharedWeights: { tensors: number; bytes: number };
  }>;
  /** Size of the compute thread's OpenMP team, shared by all engines of the process; 0: physical cores. */
  setThreads(threads: number): Promise<number>;

  /**
   * Stops what runs at its next step and waits for it; nothing starts any more, in no thread of this process.
   * For the moment before the process exits: a forward pass that outlives libtorch's statics would crash.
   */
  shutDown(): void;

  /** What a method with these settings tells of itself. E_METHOD, E_MODEL_CONFIG. */
  methodFacts(method: MethodOptions): MethodFacts;
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
  /** @param ids of the two texts; a file that brings its own was learned with those */
  compareStoredTokens(
    towers: string[],
    prompts: string,
    ids: readonly (readonly number[])[],
  ): Promise<TokenComparison>;
  verifyWeights(path: string): Promise<WeightFileInfo>;
  /** Writes a safetensors file with the canonical names; dtype 'f32' or 'f16'. Whole or not at all. */
  convertWeights(
    inputs: string[],
    output: string,
    dtype: 'f32' | 'f16',
    metadata: Record<string, string>,
  ): Promise<void>;
  /** Writes tensors made by the recipe (fixtures.md 1) into one safetensors file. */
  synthWeights(output: string, tensors: SynthTensor[], metadata: Record<string, string>): Promise<void>;

  // training
  /** Reads a file of the feature cache from end to end and compares its checksums. */
  checkFeatures(path: string, shape: FeatureShape): Promise<FeatureCheck>;
  /**
   * Puts counts of masks into a file of the feature cache, beside those it has; the file is whole at every moment, and
   * of today's version afterwards. E_TRAIN_FEATURES, E_IO_WRITE.
   */
  addCells(path: string, shape: FeatureShape, masks: readonly MaskCells[]): Promise<void>;
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
  /**
   * Bilinear colours of a sensor's mosaic (native/image/demosaic.h): `rgb` [height, width, 3] is written. Leave both
   * arrays alone until the promise settles. `pattern`: 0 red, 1 green, 2 blue at (0,0), (1,0), (0,1), (1,1).
   */
  demosaic(
    mosaic: Uint8Array,
    width: number,
    height: number,
    pattern: readonly number[],
    rgb: Uint8Array,
  ): Promise<void>;
  // masks and mosaics; data of 8 bits
  /**
   * [height, width], above 0 where something is marked: the highest of a pixel's colours; its opacity where the colour is
   * the same everywhere and something is transparent. `isLossy`: what is below half of the highest value becomes 0.
   */
  markMask(mask: NativePicture, isLossy: boolean): Promise<Uint8Array>;
  /** Pillow's conversion to L, [height, width]; alpha does not count. */
  greyMask(mask: NativePicture): Promise<Uint8Array>;
  /** Raises each value of `into` to that of `other`. Leave both alone until the promise settles. */
  uniteMasks(into: Uint8Array, other: Uint8Array): Promise<void>;
  /** [width, height] of a mask in grey, turned as EXIF orientation 5 to 8 says */
  turnMask(mask: NativePicture, orientation: number): Promise<Uint8Array>;
  /** Four pictures as the tiles of one, RGB [height, width, 3]: upper left, upper right, lower left, lower right. */
  mosaicOfPictures(pictures: readonly NativePicture[], width: number, height: number): Promise<Uint8Array>;
  /** Four masks in grey likewise, [height, width]: each pixel is one of the mask's. */
  mosaicOfMasks(masks: readonly NativePicture[], width: number, height: number): Promise<Uint8Array>;
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
  /**
   * What this CPU's multiply-add instructions do at their best: chains of them in registers on all compute threads, of a few
   * stretches of milliseconds the fastest. Every instruction that may be used here, of each format fastest first.
   */
  timePeaks(): Promise<PeakRate[]>;

  // metrics
  /** E_USAGE for options that make no sense. */
  createMetricEvaluator(options: MetricOptions): NativeMetricEvaluator;
  /**
   * The figures of one class for draws of its pictures with replacement; a draw says how often each is taken. Arrays are copied before
   * the call returns. threads: 0 for all cores.
   * @returns for each draw seven numbers: AUROC, AP and F1max of images, the same of pixels, AUPRO (exact, at `limit`); NaN: undefined
   */
  figuresOfDraws(
    pictures: readonly MetricPicture[],
    draws: readonly Uint32Array[],
    limit: number,
    threads: number,
  ): Promise<Float64Array>;
  /**
   * Intervals of the image figures of each class and of their mean; every class needs both labels. `stream` names a class's
   * own numbers.
   */
  imageIntervals(
    classes: (LabelledScores & { stream: string })[],
    options: Resampling,
  ): Promise<{ classes: ImageIntervals[]; mean: ImageIntervals }>;
  /** null without an anomalous picture */
  bestThreshold(
    pictures: LabelledScores,
    options: Resampling & { stream: string },
  ): Promise<BestThreshold | null>;
  /** maps lie from `low` to `high`; 0 to 1 where they are not given */
  createMapLevels(levels: number, low?: number, high?: number): NativeMapLevels;
}
