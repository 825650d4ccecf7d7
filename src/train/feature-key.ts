/**
 * What cached features depend on, and the name that follows from it. Two runs share features only when all of this is
 * equal; a later change of anything that decides a feature must change k_format.
 */
import { createHash } from 'node:crypto';
import type { MethodOptions } from '../addon/native.js';
import type { FeatureShape } from '../addon/training.js';
import { CraneError } from '../errors.js';
import { changedReading, type Reading } from '../images/reading.js';
import { sharp } from '../images/sharp.js';
import { methodOf, needsSource } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import type { Size } from '../options/types.js';
import { canonicalJson } from '../runs/canonical-json.js';
import type { Machine } from '../runs/machine.js';

const k_format = 1;

export interface FeatureSettings {
  format: number;
  /** of the numbers kept; of those the features were computed with: machine.precision */
  precision: 'f16' | 'f32';
  /** of the file, as the method names it */
  shape: unknown;
  /** sha256 of the weight files as they are */
  weights: string[];
  recipes: unknown;
  vision: unknown;
  source: unknown;
  input: Size;
  method: unknown;
  pictures: { fit: 'stretch'; exif: boolean; levels?: unknown; decoder: { sharp: string; libvips: string } };
  machine: Machine;
}

export function featureSettings(given: {
  model: Model;
  size: Size;
  method: MethodOptions;
  shape: FeatureShape;
  precision: 'f16' | 'f32';
  reading: Reading;
  /** of the towers' files, then of the source's */
  weights: string[];
  machine: Machine;
}): FeatureSettings {
  const { model, method, machine } = given;
  const descriptor = methodOf(method);
  if (!descriptor.features)
    throw new CraneError('E_METHOD', `method ${descriptor.name} has no features that could be kept`);
  const own = descriptor.features(method, given.shape);
  const changed = changedReading(given.reading);
  return {
    format: k_format,
    precision: given.precision,
    shape: own.shape,
    weights: given.weights,
    recipes: model.recipes ?? null,
    vision: model.vision,
    source: needsSource(method) ? (model.source?.tower ?? null) : null,
    input: given.size,
    method: own.method,
    pictures: {
      fit: 'stretch',
      exif: given.reading.exif,
      ...(Object.keys(changed).length === 0 ? {} : { levels: changed }),
      decoder: { sharp: sharp.versions.sharp ?? 'unknown', libvips: sharp.versions.vips },
    },
    machine: { ...machine, device: machine.device.replace(/:\d+$/, '') },
  };
}

/** Name of the folder for these settings. */
export function featureKey(settings: FeatureSettings): string {
  return createHash('sha256').update(canonicalJson(settings)).digest('hex').slice(0, 32);
}
