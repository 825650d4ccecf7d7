/**
 * What cached features depend on, and the name that follows from it. Two runs share features only when all of this is
 * equal; a later change of anything that decides a feature must change k_format.
 */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { MethodOptions } from '../addon/native.js';
import type { FeatureShape } from '../addon/training.js';
import type { Model } from '../models/model-json.js';
import type { Size } from '../options/types.js';
import { canonicalJson } from '../runs/canonical-json.js';
import type { Machine } from '../runs/machine.js';

const k_format = 1;

export interface FeatureSettings {
  format: number;
  /** of the numbers kept; of those the features were computed with: machine.precision */
  precision: 'f16' | 'f32';
  shape: CraneShape;
  /** sha256 of the weight files as they are */
  weights: string[];
  recipes: unknown;
  vision: unknown;
  source: unknown;
  input: Size;
  method: unknown;
  pictures: { fit: 'stretch'; exif: boolean; decoder: { sharp: string; libvips: string } };
  machine: Machine;
}

/** As keys have named a file's contents since the first version: distinct maps, and how often each is listed. */
interface CraneShape {
  maps: number;
  copies: number;
  grid: FeatureShape['grid'];
  width: number;
}

function craneShape({ tensors, grid }: FeatureShape, method: MethodOptions): CraneShape {
  const [maps = 0, , width = 0] = tensors.find(({ name }) => name === 'maps')?.shape ?? [];
  const copies = !method.dAttn && method.compat.aliasedFeatures ? method.features.length : 1;
  return { maps, copies, grid, width };
}

export function featureSettings(given: {
  model: Model;
  size: Size;
  method: MethodOptions;
  shape: FeatureShape;
  precision: 'f16' | 'f32';
  exif: boolean;
  /** of the towers' files, then of the source's */
  weights: string[];
  machine: Machine;
}): FeatureSettings {
  const { model, method, machine } = given;
  const { eAttn, eAttnLayers, features, dAttn, maps, dAttnBeta, fusion, compat } = method;
  // How deep tokens are rounded concerns the text tower alone.
  const { halfDeepTokens: _, ...ofVision } = compat;
  return {
    format: k_format,
    precision: given.precision,
    shape: craneShape(given.shape, method),
    weights: given.weights,
    recipes: model.recipes ?? null,
    vision: model.vision,
    source: dAttn ? (model.source?.tower ?? null) : null,
    input: given.size,
    method: { eAttn, eAttnLayers, features, dAttn, maps, dAttnBeta, fusion, compat: ofVision },
    pictures: {
      fit: 'stretch',
      exif: given.exif,
      decoder: { sharp: sharp.versions.sharp ?? 'unknown', libvips: sharp.versions.vips },
    },
    machine: { ...machine, device: machine.device.replace(/:\d+$/, '') },
  };
}

/** Name of the folder for these settings. */
export function featureKey(settings: FeatureSettings): string {
  return createHash('sha256').update(canonicalJson(settings)).digest('hex').slice(0, 32);
}
