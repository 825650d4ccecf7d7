/** loadEngine: finds the model, opens the native engine, encodes the default prompts. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { EngineConfig, NativeAddon, Precision } from '../addon/native.js';
import { throwIfCancelled } from '../cancellation.js';
import { CraneError } from '../errors.js';
import { findModel } from '../models/find-model.js';
import { withTowersOf } from '../models/method-towers.js';
import { type Model, modelFile } from '../models/model-json.js';
import { ModelLabels } from '../models/model-label.js';
import { type Recipe, recipeTensors } from '../models/recipe-tensors.js';
import { checkOptions } from '../options/check.js';
import { defaultOf } from '../options/table.js';
import type { EngineOptions, LoadProgress } from '../options/types.js';
import { BankSets } from './bank-sets.js';
import { choosePrecision } from './choose-precision.js';
import { Contexts } from './contexts.js';
import { Engine } from './engine.js';
import { emitWarning, toSize } from './load-defaults.js';
import { resolveSettings } from './method-choice.js';
import { PromptSets } from './prompt-sets.js';
import { StartCache } from './start-cache.js';
import { StoredThresholds } from './stored-thresholds.js';
import { tokenWarning } from './token-warning.js';

/**
 * Loads a model. Takes the memory of its weights until dispose(); opens no connection.
 * @throws CraneError E_USAGE, E_MODEL_*, E_WEIGHTS_*, E_PROMPTS, E_DEVICE, E_MEMORY, E_ADDON_*, E_LIBTORCH_*
 */
export async function loadEngine(given: EngineOptions = {}): Promise<Engine> {
  const options = checkOptions('loadEngine', given);
  throwIfCancelled(options.signal);
  const tell = progressOf(options);
  tell('model');
  const model = await findModel(options.model ?? defaultOf('model'));
  tell('addon');
  const { loadAddon } = await import('../addon/load-addon.js');
  const { addon } = await loadAddon();
  return openEngine(addon, model, options, tell);
}

/** As loadEngine, with the addon and the model already at hand. */
export async function openEngine(
  addon: NativeAddon,
  found: Model,
  given: EngineOptions = {},
  tell = progressOf(given),
): Promise<Engine> {
  const options = checkOptions('loadEngine', given);
  throwIfCancelled(options.signal);
  const model = withTowersOf(options.method, found);
  const { devices, precisions } = await addon.info();
  const device = chooseDevice(devices, options.device);
  const { precision, why } = choosePrecision(
    options.precision ?? defaultOf('precision'),
    model,
    device,
    precisions,
  );
  const config = engineConfig(model, options, device, precision);
  const cache = (options.startCache ?? defaultOf('startCache')) ? await StartCache.open(model) : undefined;
  if (options.onProgress) tell('weights', await bytesOf(config));
  const native = await addon.openEngine({
    ...config,
    ...(cache ? { startCache: { folder: cache.folder, identity: cache.identity } } : {}),
  });
  try {
    const size = sizeOf(model, options);
    // Encoding the default prompts now tells their faults at once, not at the first picture; they are never released.
    await cache?.tidy(native.facts);
    tell('prompts');
    const warn = options.onWarning ?? emitWarning;
    const prompts = new PromptSets(
      native,
      model,
      (prompts, source, method) => cache?.vectorsFile(addon, model, native.facts, prompts, source, method),
      async (path, material, method) => {
        const warning = await tokenWarning(addon, config.weights, { path, material, method });
        if (warning) warn(warning);
      },
    );
    const labels = new ModelLabels(model, size, precision);
    const thresholds = new StoredThresholds(model, labels);
    const banks = new BankSets({ addon, native, model, size, precision, warn });
    const contexts = new Contexts({ model, prompts, banks, stored: thresholds });
    const settings = resolveSettings(model, { size, precision }, options);
    const held = await contexts.settle(settings);
    const contextIdentity = held?.identity ?? contexts.identityOf(settings) ?? '';
    throwIfCancelled(options.signal);
    const engine = new Engine({
      addon,
      native,
      model,
      options,
      size,
      labels,
      thresholds,
      banks,
      contexts,
      contextIdentity,
      precisionWhy: why,
    });
    tell('ready');
    return engine;
  } catch (thrown) {
    await native.dispose();
    throw thrown;
  }
}

type Tell = (stage: LoadProgress['stage'], bytes?: number) => void;

function progressOf({ onProgress }: EngineOptions): Tell {
  const began = performance.now();
  return (stage, bytes) =>
    onProgress?.({ stage, ms: performance.now() - began, ...(bytes === undefined ? {} : { bytes }) });
}

/** Of the files with weights. */
async function bytesOf({ weights, source }: EngineConfig): Promise<number> {
  const files = source ? [...weights, source.weights] : weights;
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** auto: the first GPU that the engine sees, else the CPU. */
function chooseDevice(devices: readonly string[], device = defaultOf('device')): string {
  if (device !== 'auto') return device;
  return devices.find((name) => name.startsWith('cuda')) ?? 'cpu';
}

function engineConfig(
  model: Model,
  options: EngineOptions,
  device: string,
  precision: Precision,
): EngineConfig {
  const weights = model.weights.map((part) => existing(model, part.file));
  return {
    weights,
    ...(model.recipes ? { recipes: model.recipes.map((recipe) => madeTensors(model, recipe)) } : {}),
    vision: model.vision,
    text: model.text,
    ...(model.source
      ? { source: { weights: existing(model, model.source.weights.file), tower: model.source.tower } }
      : {}),
    ...sizeOf(model, options),
    device,
    precision,
    threads: options.threads ?? defaultOf('threads'),
    picturesInParallel: (options.parallel ?? defaultOf('parallel')) === 'pictures',
  };
}

function madeTensors(model: Model, recipe: Recipe) {
  const name = `${modelFile(model, 'model.json')}: recipe "${recipe.salt}"`;
  return { name, tensors: recipeTensors(recipe) };
}

function sizeOf(model: Model, options: EngineOptions) {
  return options.size === undefined ? model.input : toSize(options.size);
}

function existing(model: Model, file: string): string {
  const path = modelFile(model, file);
  if (existsSync(path)) return path;
  throw new CraneError(
    'E_WEIGHTS_NOT_FOUND',
    `${path}: there is no such file, though model.json of ${model.name} names it`,
    {
      hint: `fetch it: npx crane-native weights pull ${model.name}`,
    },
  );
}
