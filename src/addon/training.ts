/** Learning in the engine addon: what training uses. */
import type { Material } from './material.js';
import type { Guidance } from './method.js';
import type { NativePicture } from './picture.js';
import type { TraceResult } from './trace.js';

/** Loss and optimiser of learning Crane's prompts (method.md 7). */
export type TrainOptions = {
  focalWeight: number;
  diceWeight: number;
  imageLossWeight: number;
  pixelTemperature: number;
  imageTemperature: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  guidance: Guidance;
  /** share of the steps that are guided, drawn from guidanceSeed and the step's number; 1 unless given */
  guidanceProbability?: number;
  guidanceSeed?: number;
  /** 'bilinear': steps need masks of the input's size; 'nearest' unless given */
  upsampling?: 'nearest' | 'bilinear';
  halfDeepTokens: boolean;
  /**
   * Text rows that all pictures of a batch share run once. false: once per picture, as the reference does; the gradient
   * of deep tokens is then rounded to half for every picture before it is added up.
   */
  sharedPrefix: boolean;
};

/** The table that a method's learner reads, over and above the method's own settings. */
export type LearnerSettings = Record<string, boolean | number | string | number[] | string[]>;

/** Sentences by group, of every class that is learned from, for a method whose texts name what a picture shows. */
export interface ClassTexts {
  classes?: Record<string, Material['texts']>;
}

/** Something new to learn; of Crane prompts whose every entry is drawn from N(0, 0.02^2) by libtorch's generator. */
export type Fresh = Material & ClassTexts & { seed: number };

/** A file written by NativeTraining.save; it brings its own texts. */
export interface SavedTraining extends ClassTexts {
  state: string;
}

/** Pictures as the reference trains on them: input [batch, 3, height, width] normalised, masks [batch, height, width] of 0 and 1, labels [batch], 1 anomalous. */
export interface TrainBatch {
  input: Float32Array;
  masks: Uint8Array;
  labels: Int32Array;
  /** of each picture, where the method's texts name it */
  classes?: string[];
}

/** One labelled picture of a step. */
export interface TrainItem {
  /** file of the feature cache */
  features: string;
  /** which counts of that file are those of its mask (MaskCells); undefined: not known, then only the image loss counts */
  cells: string | undefined;
  /** the mask itself, of the model's input, 0 and 1: where pixels of a cell are told apart; `cells` is not given then */
  mask?: Uint8Array;
  isAnomalous: boolean;
  /** what it shows, where the method's texts name it: one of the classes that texts were given for */
  className?: string;
}

/** The same where nothing of a picture is frozen, or a learner wants whole masks: the towers run at every step. */
export interface TrainPicture {
  picture: NativePicture;
  /** of the model's input, 0 and 1; undefined: not known */
  mask?: Uint8Array;
  isAnomalous: boolean;
  /** as of a TrainItem */
  className?: string;
}

/** Anomalous pixels of each patch, row-major (countCells), under the name of the mask that they were counted in. */
export interface MaskCells {
  name: string;
  anomalous: Uint32Array;
}

/** What is found where a file of the feature cache should be. */
export interface FeatureCheck {
  /** 'of-before': as 0.1.0 wrote it, whole but without counts; a step refuses it until addCells was there */
  state: 'whole' | 'of-before' | 'damaged' | 'missing';
  /** the masks whose counts a whole file has, each with its anomalous pixels in sum */
  masks: Record<string, number>;
}

/** Weighted as the reference logs them: total = focal + dice + imageLossWeight * image. */
export interface StepLosses {
  focal: number;
  dice: number;
  image: number;
  total: number;
}

/** What one file of the feature cache holds. */
export interface FeatureShape {
  tensors: { name: string; shape: number[] }[];
  /** cells that a mask's pixels are counted in */
  grid: { width: number; height: number };
}

/** A method while it learns. Calls run one after the other, on the engine's compute thread. */
export interface NativeTraining {
  /** One step of the optimiser from cached features. E_TRAIN_DIVERGED when the loss is not finite: nothing is changed then. */
  step(items: (TrainItem | TrainPicture)[]): Promise<StepLosses>;
  /** The same with the vision towers running on the pictures; `stages` is empty unless asked for. */
  stepOnPictures(
    batch: TrainBatch,
    shape: { batch: number; height: number; width: number },
    wantStages: boolean,
  ): Promise<StepLosses & { stages: TraceResult }>;
  /** 'param.NAME' and, after a step, 'grad.NAME' of every learned tensor. */
  state(): Promise<TraceResult>;
  /**
   * Writes all that a later run needs to go on bit for bit: parameters, the optimiser's moments, its step count;
   * `extra` tensors and metadata of the caller go with it. Whole or not at all.
   */
  save(
    path: string,
    extra: Record<string, Float64Array | Int32Array>,
    metadata: Record<string, string>,
  ): Promise<void>;
  /** What is scored with from then on: the authors' checkpoint ('pth'), or safetensors with metadata. Whole or not at all. */
  writeCheckpoint(
    path: string,
    format: 'pth' | 'safetensors',
    metadata: Record<string, string>,
  ): Promise<void>;
  end(): Promise<void>;
}
