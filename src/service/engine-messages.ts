/** What the service and the process of its engines say to each other (frames.ts). */
import type { PictureCalibration } from '../calibrate/calibrate-pictures.js';
import type { Facts } from '../engine/engine.js';
import type { ErrorCode } from '../errors.js';
import type { BankFacts } from '../normals/bank-facts.js';
import type {
  EngineOptions,
  LearnNormalsChoices,
  PictureChoices,
  RequestOptions,
  ScoreOptions,
} from '../options/types.js';
import type { ScoredLine } from '../sinks/result-line.js';

export type MapType = RequestOptions['mapType'];

/** A model as the operator names it. */
export interface ServedModel {
  name: string;
  options: Omit<EngineOptions, 'signal' | 'onWarning' | 'onProgress'>;
  /** further prompt sets: a name for each file */
  promptSets: Readonly<Record<string, string>>;
}

/** The bytes of the frame are a picture file, or rows of pixels. */
export type PictureForm =
  | { kind: 'file' }
  | { kind: 'pixels'; width: number; height: number; channels: 1 | 3 | 4 };

export interface ScoreOrder {
  model: string;
  name: string;
  form: PictureForm;
  options: Pick<
    ScoreOptions,
    Exclude<keyof ScoreOptions, 'signal' | 'name' | 'map' | 'regions' | 'priority' | 'normals'>
  > & { /** the file of a bank that the service keeps */ normals?: string };
  regions: boolean;
  map: MapType | null;
  /** a heat map, of this range of values; of the method's where none is said */
  heatmap: { range: { low: number; high: number } | null } | null;
  /** the client's name of the bank whose file stands in the options */
  bank?: string;
  /** bytes at the end of the frame that are the mask of what is ignored */
  maskBytes?: number;
}

/** A bank of normal pictures, whose files follow each other in the frame's bytes. */
export interface LearnOrder {
  model: string;
  pictures: { name: string; bytes: number }[];
  choices: LearnNormalsChoices & Pick<PictureChoices, 'evidence'>;
  /** the file to write; nothing is there */
  path: string;
}

/** Thresholds by labelled pictures, whose files follow each other in the frame's bytes. */
export interface CalibrateOrder {
  model: string;
  pictures: { name: string; bytes: number; isAnomalous: boolean }[];
  options: ScoreOrder['options'];
  falseAlarmRate?: number;
  /** the client's name of the bank whose file stands in the options */
  bank?: string;
}

export type ToEngines =
  | { kind: 'load'; models: ServedModel[] }
  | { kind: 'score'; id: number; order: ScoreOrder }
  | { kind: 'learn'; id: number; order: LearnOrder }
  | { kind: 'calibrate'; id: number; order: CalibrateOrder }
  | { kind: 'cancel'; id: number }
  | { kind: 'close' };

export interface ToldError {
  code: ErrorCode;
  message: string;
  hint?: string;
}

/** What the service knows of a loaded model. */
export interface ModelFacts {
  name: string;
  facts: Pick<Facts, 'model' | 'input' | 'device' | 'precision' | 'weightBytes'>;
  /** null: not known, of a file of the operator's */
  prompts: Record<string, { learnedOn: string[] | null }>;
  description: string;
  licence: string;
  version: string;
  method: string;
  /** null: nothing of the method is learned */
  defaultPrompts: string | null;
  threshold: number | null;
  mapThreshold: number | null;
}

export interface Answer {
  result: Omit<ScoredLine, 'input' | 'index'>;
  mapMax?: number;
  /** milliseconds between the order and its end */
  totalMs: number;
  /** lengths in the frame's bytes, one after the other */
  map?: { width: number; height: number; bytes: number; type: MapType; low: number; high: number };
  heatmap?: { bytes: number };
}

export type FromEngines =
  | { kind: 'loaded'; models: ModelFacts[] }
  | { kind: 'not-loaded'; model: string; error: ToldError }
  | { kind: 'scored'; id: number; answer: Answer; retryAfterMs: number | null }
  | { kind: 'learned'; id: number; facts: BankFacts }
  | { kind: 'calibrated'; id: number; found: PictureCalibration }
  | { kind: 'refused'; id: number; error: ToldError }
  | { kind: 'pass'; pictures: number; ms: number }
  | { kind: 'warning'; model: string; message: string };
