/** From what a caller gives to the complete settings of a training. */

import type { EngineFacts, MethodOptions } from '../addon/native.js';
import type { LearnerSettings, TrainOptions } from '../addon/training.js';
import { mosaicClasses } from '../data/mosaic-plan.js';
import { CraneError } from '../errors.js';
import { methodOf } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import { defaultOf, fallbackOf } from '../options/table.js';
import type { TrainChoices } from '../options/types.js';
import type { TrainSettings } from '../runs/train-settings.js';

/** method.md 7: temperature of the image loss. */
const k_imageTemperature = 0.01;
const k_adamEps = 1e-8;

export function resolveTrainSettings(given: TrainChoices, model: Model, facts: EngineFacts): TrainSettings {
  const or = <K extends keyof TrainChoices>(name: K) =>
    (given[name] ?? defaultOf(name)) as Exclude<TrainChoices[K], undefined>;
  return {
    epochs: or('epochs'),
    batchSize: or('batchSize'),
    learningRate: or('learningRate'),
    betas: or('betas'),
    focalWeight: or('focalWeight'),
    diceWeight: or('diceWeight'),
    imageLossWeight:
      given.imageLossWeight ?? model.training?.imageLossWeight ?? fallbackOf('imageLossWeight'),
    guidance: or('guidance'),
    seed: or('seed'),
    seeds: or('seeds'),
    order: or('order'),
    saveEvery: or('saveEvery'),
    contextRows: or('contextRows'),
    deepTokens: or('deepTokens'),
    // The first block takes no deep tokens: its input are the context rows themselves.
    deepBlocks: given.deepBlocks ?? Math.min(fallbackOf('deepBlocks'), facts.text.layers - 1),
    start: given.start,
    split: or('split'),
    layout: or('layout'),
    leaveOut: given.leaveOut ?? [],
    portion: or('portion'),
    kShot: given.kShot,
    mosaicRate: or('mosaicRate'),
    mosaicPool: given.mosaicPool,
    mosaicClasses: given.mosaicClasses ?? [...mosaicClasses],
    allowOneClass: or('allowOneClass'),
    cache: given.cache,
    cachePrecision: or('cachePrecision'),
    normalFolder: given.normalFolder ?? [],
    anomalousFolder: given.anomalousFolder ?? [],
    unknownFolders: or('unknownFolders'),
    followLinks: or('followLinks'),
  };
}

/** Loss and optimiser as the engine wants them. */
export function nativeOptions(settings: TrainSettings, method: MethodOptions): TrainOptions {
  const { name, learner } = methodOf(method);
  if (!learner) throw new CraneError('E_METHOD', `method ${name} learns nothing`);
  return {
    focalWeight: settings.focalWeight,
    diceWeight: settings.diceWeight,
    imageLossWeight: settings.imageLossWeight,
    imageTemperature: k_imageTemperature,
    learningRate: settings.learningRate,
    beta1: settings.betas[0],
    beta2: settings.betas[1],
    eps: k_adamEps,
    guidance: settings.guidance,
    sharedPrefix: true,
    ...(learner(method) as Pick<TrainOptions, 'pixelTemperature' | 'halfDeepTokens'>),
  };
}

/** The whole table of the learner: what is learned anew has its sizes from here. */
export function learnerSettings(settings: TrainSettings, method: MethodOptions): LearnerSettings {
  const { contextRows, deepBlocks, deepTokens } = settings;
  return { ...nativeOptions(settings, method), contextRows, deepBlocks, deepTokens };
}
