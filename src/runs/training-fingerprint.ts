/**
 * All that decides the bytes of a training, readable. It goes into the saved state: going on with anything else would
 * give prompts that no single command can make again.
 */
import { createHash } from 'node:crypto';
import type { MethodOptions } from '../addon/native.js';
import type { LearnerSettings } from '../addon/training.js';
import type { Pair } from '../methods/descriptor.js';
import { canonicalJson } from './canonical-json.js';
import type { Machine } from './machine.js';
import type { TrainSettings } from './train-settings.js';

/** The two sentences whose vectors are learned; or of which classes there are sentences. */
export type TrainedTexts = Pair | { classes: string[] };

export interface Fingerprint {
  format: number;
  version: string;
  machine: Machine;
  model: string;
  weights: string[];
  features: string;
  texts: TrainedTexts;
  start: unknown;
  data: { pictures: number; masks: number; hash: string };
  /** mosaicRate: absent where there are no mosaics, as in records of trainings without any */
  loop: { batchSize: number; seed: number; order: string; mosaicRate?: number };
  training: LearnerSettings;
  method: MethodOptions;
}

const k_format = 1;

export function fingerprint(given: {
  version: string;
  machine: Machine;
  model: string;
  weights: string[];
  features: string;
  /** `sha256` of the file that is learned on; undefined: new prompts */
  start: { texts: TrainedTexts; sha256: string | undefined };
  data: Fingerprint['data'];
  settings: TrainSettings;
  training: LearnerSettings;
  method: MethodOptions;
}): Fingerprint {
  const { settings, start } = given;
  const { batchSize, seed, order, mosaicRate, contextRows, deepTokens, deepBlocks } = settings;
  return {
    format: k_format,
    version: given.version,
    machine: given.machine,
    model: given.model,
    weights: given.weights,
    features: given.features,
    texts: start.texts,
    start: start.sha256 === undefined ? { contextRows, deepTokens, deepBlocks } : { sha256: start.sha256 },
    data: given.data,
    loop: { batchSize, seed, order, ...(mosaicRate === 0 ? {} : { mosaicRate }) },
    training: given.training,
    method: given.method,
  };
}

export function fingerprintHash(of: Fingerprint): string {
  return createHash('sha256').update(canonicalJson(of)).digest('hex');
}
