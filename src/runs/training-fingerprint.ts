/**
 * All that decides the bytes of a training, readable. It goes into the saved state: going on with anything else would
 * give prompts that no single command can make again.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MethodOptions } from '../addon/native.js';
import type { TrainOptions } from '../addon/training.js';
import type { Machine } from '../train/feature-key.js';
import type { TrainSettings } from '../train/settings.js';
import type { StartPrompts } from '../train/start-prompts.js';
import { canonicalJson } from './canonical-json.js';

export interface Fingerprint {
  format: number;
  version: string;
  machine: Machine;
  model: string;
  weights: string[];
  features: string;
  texts: StartPrompts['texts'];
  start: unknown;
  data: { pictures: number; masks: number; hash: string };
  loop: { batchSize: number; seed: number; order: string };
  training: TrainOptions;
  method: MethodOptions;
}

const k_format = 1;

export function fingerprint(given: {
  version: string;
  machine: Machine;
  model: string;
  weights: string[];
  features: string;
  start: StartPrompts;
  data: Fingerprint['data'];
  settings: TrainSettings;
  training: TrainOptions;
  method: MethodOptions;
}): Fingerprint {
  const { settings, start } = given;
  const { batchSize, seed, order, contextRows, deepTokens, deepBlocks } = settings;
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
    loop: { batchSize, seed, order },
    training: given.training,
    method: given.method,
  };
}

export function fingerprintHash(of: Fingerprint): string {
  return createHash('sha256').update(canonicalJson(of)).digest('hex');
}

/** One line for each thing that is not as it was: "training.learningRate is 0.002, was 0.001". */
export function differences(now: unknown, before: unknown, name = ''): string[] {
  if (isDeepStrictEqual(now, before)) return [];
  if (isObject(now) && isObject(before)) {
    const keys = [...new Set([...Object.keys(now), ...Object.keys(before)])].sort();
    return keys.flatMap((key) => differences(now[key], before[key], name ? `${name}.${key}` : key));
  }
  return [`${name} is ${shown(now)}, was ${shown(before)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{32,64}$/.test(value)) return value.slice(0, 12);
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
