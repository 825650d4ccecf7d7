/** All that the runs of one trainer share. */
import { join } from 'node:path';
import type { MethodOptions } from '../addon/native.js';
import { lookAhead } from '../data/check/look-ahead.js';
import type { Engine, TrainingParts } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import { cacheFolder } from '../files/cache-folder.js';
import type { Reading } from '../images/reading.js';
import { couplesPictures, needsSource } from '../methods/registry.js';
import { modelFile } from '../models/model-json.js';
import { seedsFrom } from '../options/seeds.js';
import type { TrainChoices } from '../options/types.js';
import { type Machine, thisMachine } from '../runs/machine.js';
import type { TrainSettings } from '../runs/train-settings.js';
import { weightHash } from '../runs/weight-hashes.js';
import { type OpenedData, openData } from './choose-pictures.js';
import { refuseContradictions } from './contradictions.js';
import { FeatureCache } from './feature-cache.js';
import { featureSettings } from './feature-key.js';
import { resolveTrainSettings } from './settings.js';

export interface Training {
  parts: TrainingParts;
  settings: TrainSettings;
  method: MethodOptions;
  reading: Reading;
  /** surroundings: where the cache folder is */
  env: NodeJS.ProcessEnv;
  data: OpenedData;
  dataPaths: string[];
  machine: Machine;
  /** sha256 of the weight files as they are */
  weights: string[];
  cache: FeatureCache;
}

/** Reads no picture and writes nothing. @throws CraneError E_MODEL_CONFIG, E_DATA_*, E_IO_WRITE, E_IO_READ */
export async function prepareTraining(
  engine: Engine,
  dataPaths: string[],
  choices: TrainChoices,
  env: NodeJS.ProcessEnv,
): Promise<Training> {
  const parts = engine.trainingParts;
  const { addon, native, model, size } = parts;
  const { method, reading } = engine.settings();
  if (couplesPictures({ method })) {
    throw new CraneError(
      'E_MODEL_CONFIG',
      "compat.batchMean makes a picture's features depend on its neighbours in the batch: they cannot be kept",
      { hint: 'learn without it: --no-compat.batch-mean' },
    );
  }
  const settings = resolveTrainSettings(choices, model, native.facts, method);
  refuseContradictions(choices, settings);
  seedsFrom(settings.seed, settings.seeds);
  const data = await openData(dataPaths, settings);
  for (const { name, split, root } of data.sets) {
    const items = data.items.filter((item) => item.root === root);
    // Empty masks are counted as they are learned from, at the model's size.
    const ahead = { maxPixels: parts.maxPixels, reading, except: ['empty-mask'] as const };
    data.notes.push(...(await lookAhead({ items, split, root }, ahead)).map((line) => `${name}: ${line}`));
  }
  const root = settings.cache ?? join(await cacheFolder(env), 'features');
  const files = [...model.weights, ...(needsSource(method) && model.source ? [model.source.weights] : [])];
  const weights: string[] = [];
  for (const { file } of files) weights.push(await weightHash(modelFile(model, file), root));
  const machine = await thisMachine(addon, native.facts);
  const shape = native.featureShape(method);
  const precision = settings.cachePrecision;
  const cache = new FeatureCache(
    addon,
    root,
    featureSettings({ model, size, method, shape, precision, reading, weights, machine }),
    shape,
  );
  return { parts, settings, method, reading, data, dataPaths, machine, weights, cache, env };
}
