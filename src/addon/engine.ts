/** An engine in the addon: what it is opened with, what it says of itself, and its calls. */
import type { Material } from './material.js';
import type { MethodOptions } from './method.js';
import type { Fit, NativePicture, Region } from './picture.js';
import type { Precision } from './precision.js';
import type { TraceResult } from './trace.js';
import type {
  ClassTexts,
  FeatureShape,
  Fresh,
  LearnerSettings,
  MaskCells,
  NativeTraining,
  SavedTraining,
} from './training.js';
import type { SynthTensor } from './weights.js';

/** One tower of vision: what its tensors cannot tell. */
export interface TowerConfig {
  /** 'quick-gelu' (OpenAI's CLIP) or 'gelu' */
  activation: 'quick-gelu' | 'gelu';
  layerNormEps: number;
  mean: [number, number, number];
  std: [number, number, number];
  /**
   * how the position grid is fitted to another number of patches: not at all, bilinearly, by a = -0.75 with repeated
   * edges, by a = -0.5 with antialiasing; `offset` is DINOv2's 0.1
   */
  positionInterpolation: { kind: 'none' | 'bilinear' | 'bicubic' | 'bicubic-antialias'; offset: number };
  /** of the attention; as many as are 64 channels wide where it is not given */
  heads?: number | undefined;
  /** use only the first n blocks; 0: all */
  blocks: number;
}

/** The text tower: what its tensors cannot tell. */
export interface TextConfig {
  activation: 'quick-gelu' | 'gelu';
  layerNormEps: number;
  /** as TowerConfig.heads */
  heads?: number | undefined;
}

export interface EngineConfig {
  /** weight files that together hold the vision tower and the text tower (any container, any known naming) */
  weights: string[];
  /** tensors that complete the files, made when the engine opens; `name` is what messages call them */
  recipes?: { name: string; tensors: SynthTensor[] }[];
  vision: TowerConfig;
  text: TextConfig;
  /** the spatial source of D-Attn */
  source?: { weights: string; tower: TowerConfig };
  /** input of the model in pixels */
  height: number;
  width: number;
  device: string;
  /** float32 where it is not given */
  precision?: Precision;
  threads: number;
  /** on a CPU: each thread has passes of its own, where the method does not couple pictures */
  picturesInParallel?: boolean;
  /** where packed weights are kept between starts; `identity` tells the weight files apart */
  startCache?: { folder: string; identity: string };
}

/**
 * A vision tower's packed weights: mapped from the start cache, written there now, in memory only, or those of another
 * engine of this process.
 */
export type Packed = 'mapped' | 'written' | 'memory' | 'shared';

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
  /** passes that run at once */
  lanes: number;
  /** why packed weights could not be kept */
  packedFailure?: string;
  /** bytes of weights held, and an upper estimate of what one picture needs on top */
  weightBytes: number;
  workingBytes: number;
}

export interface ScoreRequest {
  picture: NativePicture;
  /** handle from addContext */
  context: number;
  fit: Fit;
  /** overlap of neighbouring tiles, as a share of their side, for fit 'tile' */
  tileOverlap: number;
  wantMap: boolean;
  /** the map in the picture's own size */
  mapInPictureSize?: boolean;
  /** finds the regions of the map at this threshold */
  regionsAt?: number;
  /** draws the map over the picture: map values of the first and the last colour */
  heat?: { low: number; high: number };
}

export interface ScoreResult {
  /** what `imageScore` names */
  score: number;
  /** the parts of the score by name: the method's own, and 'map-max' */
  parts: Record<string, number>;
  /** of the map before it is resized to the picture */
  mapMax: number;
  /**
   * Shows the whole picture and nothing else, row-major, after the Gaussian. For fit 'stretch' in the model's size,
   * otherwise in the size of the merged map; with mapInPictureSize in the picture's.
   */
  map?: { data: Float32Array; width: number; height: number };
  /** where regionsAt was given: in the picture's own pixels, so that boxes and areas are exact there, largest peak first */
  regions?: Region[];
  /** where heat was asked for: RGB [height, width, 3] in the picture's own size */
  heat?: Uint8Array;
  ms: { preprocess: number; forward: number; postprocess: number };
}

/** Cancels everything that was started with it and has not begun; set `cancelled` from JavaScript. */
export interface CancelFlag {
  cancel(): void;
  /** of the newest `score` that was started with it: views that have been through the model, its first ones */
  readonly viewsDone: number;
}

export interface NativeEngine {
  readonly facts: EngineFacts;
  addContext(material: Material, method: MethodOptions): Promise<number>;
  removeContext(handle: number): void;
  /** Writes a context that has a file of its own, as a bank has; whole or not at all, over what is there. */
  writeContext(handle: number, path: string, metadata: Record<string, string>): Promise<void>;
  /** Of each normal picture with its copies: patches that the context leaves out as background; empty where it takes them whole. */
  leftOut(handle: number): { leftOut: number; patches: number }[];
  /**
   * Of each normal picture that a bank holds: its score and map maximum against the bank without it; where the bank was added
   * with `pictures`, theirs against the bank. One that is alone has its map, in the model's size.
   */
  ownScores(handle: number, method: MethodOptions, cancel?: CancelFlag): Promise<ScoreResult[]>;
  /** The text vectors of a context, [k, D] row-major; of Crane two, normal first. Empty where it has none. */
  textVectors(handle: number): Promise<Float32Array>;
  /** Scores do not depend on which pictures share a call (unless the method couples them, as compat.batchMean does). */
  score(requests: ScoreRequest[], method: MethodOptions, cancel?: CancelFlag): Promise<ScoreResult[]>;
  /** input: [batch, 3, height, width] normalised with the vision tower's constants. */
  scorePreprocessed(
    input: Float32Array,
    shape: { batch: number; height: number; width: number },
    context: number,
    method: MethodOptions,
    wantMap: boolean,
    cancel?: CancelFlag,
  ): Promise<ScoreResult[]>;
  /** Every inner stage by name, for parity tests and research. Same input as scorePreprocessed. */
  trace(
    input: Float32Array,
    shape: { batch: number; height: number; width: number },
    context: number,
    method: MethodOptions,
  ): Promise<TraceResult>;
  /** Stages of making a context; of Crane those of the text tower, with image features [B, D] where it is guided. */
  traceContext(
    material: Material,
    method: MethodOptions,
    imageFeatures: Float32Array | undefined,
  ): Promise<TraceResult>;
  /**
   * Starts to learn from a checkpoint, from what a seed draws, or goes on with a saved training. E_METHOD where the
   * method learns nothing.
   */
  beginTraining(
    start: (Material & ClassTexts) | Fresh | SavedTraining,
    method: MethodOptions,
    settings: LearnerSettings,
  ): Promise<NativeTraining>;
  /** What writeFeatures writes with this method. E_MODEL_CONFIG where features cannot be kept (compat.batchMean). */
  featureShape(method: MethodOptions): FeatureShape;
  /**
   * Runs the vision towers and writes each picture's features, and the counts of its masks, to its file, whole or not
   * at all; pictures are stretched to the model's input. 'f16' halves the size and rounds.
   */
  writeFeatures(
    pictures: { picture: NativePicture; path: string; masks?: readonly MaskCells[] }[],
    precision: 'f16' | 'f32',
    method: MethodOptions,
    cancel?: CancelFlag,
  ): Promise<void>;
  /** Frees weights and buffers once the work in flight is done. */
  dispose(): Promise<void>;
}
