/** A model folder of a few bytes and pictures to score with it. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Model, readModelJson } from '../../../src/models/model-json.js';

export const toyModelJson = {
  name: 'toy',
  version: '1',
  description: 'for tests',
  licence: 'none',
  weights: [{ file: 'weights.safetensors', sha256: sha256('weights'), bytes: 7 }],
  input: { width: 28, height: 28 },
  vision: {
    activation: 'gelu',
    layerNormEps: 1e-6,
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
    positionInterpolation: { kind: 'bicubic', offset: 0.1 },
    blocks: 0,
  },
  text: { activation: 'quick-gelu', layerNormEps: 1e-5 },
  prompts: {
    default: 'plain',
    sets: {
      plain: {
        file: 'prompts.safetensors',
        sha256: sha256('prompts'),
        learnedOn: ['toys'],
        normal: 'X object.',
        anomalous: 'X damaged object.',
      },
      other: {
        file: 'other.safetensors',
        sha256: sha256('other'),
        learnedOn: ['games'],
        normal: 'X object.',
        anomalous: 'X damaged object.',
      },
    },
  },
  method: {
    eAttn: 'kk',
    eAttnLayers: 2,
    features: [4],
    softMean: true,
    dAttn: false,
    maps: 'both',
    dAttnBeta: 1.2,
    fusion: true,
    imageScore: 'map-max',
    guidanceAtTest: 'none',
    temperature: 0.07,
    sigma: 4,
    compat: {
      batchMean: false,
      halfDeepTokens: true,
      aliasedFeatures: true,
      emptyRows: 'self',
      dAttnLayers: [],
    },
  },
  threshold: 0.5,
  mapThreshold: 0.5,
};

export async function makeToyFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'crane tüst '));
}

export async function makeToyModel(
  folder: string,
  change: (json: typeof toyModelJson) => void = () => {},
): Promise<Model> {
  const json = structuredClone(toyModelJson);
  change(json);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'weights.safetensors'), 'weights');
  await writeFile(join(folder, 'prompts.safetensors'), 'prompts');
  await writeFile(join(folder, 'other.safetensors'), 'other');
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  return readModelJson(join(folder, 'model.json'));
}

/**
 * A grey picture of one brightness on the mean. Columns with odd numbers lie a little beside it, so that it is not noticed as
 * a picture without anything in it; what a map of the tests samples are even ones.
 */
export async function writePicture(
  path: string,
  brightness: number,
  width = 32,
  height = 24,
): Promise<string> {
  const data = Buffer.alloc(width * height * 3, brightness);
  const step = Math.min(2, brightness, 255 - brightness);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const column = (pixel % width) % 4;
    const away = column === 1 ? step : column === 3 ? -step : 0;
    data.fill(brightness + away, 3 * pixel, 3 * pixel + 3);
  }
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}

export function pixels(brightness: number, width = 32, height = 24) {
  return { data: new Uint8Array(width * height * 3).fill(brightness), width, height, channels: 3 as const };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
