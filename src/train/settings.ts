/** From what a caller gives to the complete settings of a training. */

import type { EngineFacts, MethodOptions } from '../addon/native.js';
import type { LearnerSettings } from '../addon/training.js';
import { mosaicClasses } from '../data/mosaic-plan.js';
import { CraneError } from '../errors.js';
import { type LearningSettings, type MethodDescriptor, methodName } from '../methods/descriptor.js';
import { findMethod, methodNames, methodOf } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import { defaultOf, flagName } from '../options/table.js';
import type { TrainChoices } from '../options/types.js';
import type { TrainSettings } from '../runs/train-settings.js';

/** @throws CraneError E_METHOD where nothing is learned, E_USAGE for an option that the method does not have */
export function resolveTrainSettings(
  given: TrainChoices,
  model: Model,
  facts: EngineFacts,
  method: MethodOptions,
): TrainSettings {
  const or = <K extends keyof TrainChoices>(name: K) =>
    (given[name] ?? defaultOf(name)) as Exclude<TrainChoices[K], undefined>;
  return {
    ...learningSettings(given, model, facts, method),
    seed: or('seed'),
    seeds: or('seeds'),
    order: or('order'),
    saveEvery: or('saveEvery'),
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
    ...(given.maskValues === undefined ? {} : { maskValues: given.maskValues }),
    ...(given.maskLabels === undefined ? {} : { maskLabels: given.maskLabels }),
  };
}

/** Which options these are, in the order of records. */
const k_learning: Record<keyof LearningSettings, true> = {
  epochs: true,
  batchSize: true,
  learningRate: true,
  betas: true,
  weightDecay: true,
  focalWeight: true,
  diceWeight: true,
  imageLossWeight: true,
  guidance: true,
  guidanceProbability: true,
  upsampling: true,
  contextRows: true,
  deepTokens: true,
  deepBlocks: true,
};

function learningSettings(
  given: TrainChoices,
  model: Model,
  facts: EngineFacts,
  method: MethodOptions,
): LearningSettings {
  const descriptor = methodOf(method);
  const { defaults } = trainingOf(descriptor);
  const settings: Record<string, unknown> = {};
  for (const name of Object.keys(k_learning) as (keyof LearningSettings)[]) {
    if (defaults[name] !== undefined) settings[name] = given[name] ?? defaults[name];
    else if (given[name] !== undefined)
      throw new CraneError('E_USAGE', `method ${descriptor.name} learns without ${name}`, {
        hint: `leave it out (--${flagName(name)})`,
      });
  }
  // What a model says of learning is said for its own method.
  if (given.imageLossWeight === undefined && model.training && methodName(model.method) === descriptor.name)
    settings['imageLossWeight'] = model.training.imageLossWeight;
  // The first block takes no deep tokens: its input are the context rows themselves.
  if (given.deepBlocks === undefined && defaults.deepBlocks !== undefined)
    settings['deepBlocks'] = Math.min(defaults.deepBlocks, facts.text.layers - 1);
  return settings as unknown as LearningSettings;
}

/** The whole table of the learner: what is learned anew has its sizes from here. */
export function learnerSettings(
  settings: TrainSettings,
  method: MethodOptions,
  seed: number,
): LearnerSettings {
  return trainingOf(methodOf(method)).learner(method, settings, seed);
}

/** Loss and optimiser: that table without the sizes of what is learned. */
export function nativeOptions(settings: TrainSettings, method: MethodOptions, seed: number): LearnerSettings {
  const {
    contextRows: _rows,
    deepBlocks: _blocks,
    deepTokens: _tokens,
    ...rest
  } = learnerSettings(settings, method, seed);
  return rest;
}

function trainingOf({ name, training }: MethodDescriptor) {
  if (training) return training;
  const others = methodNames().filter((other) => findMethod(other).training !== null);
  throw new CraneError('E_METHOD', `method ${name} learns nothing`, {
    hint: `these do: ${others.join(', ')}`,
  });
}
