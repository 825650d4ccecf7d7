/** Checks that everything scoring needs is there and right, one finding each: what `doctor` shows. */
import { cpus, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import { CraneError, type ErrorCode, toCraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import { findModel } from '../models/find-model.js';
import { type Model, modelFile } from '../models/model-json.js';
import { countNumbers, countTensors } from '../models/recipe-tensors.js';
import type { EngineOptions } from '../options/types.js';
import type { Engine } from './engine.js';
import { openEngine } from './load-engine.js';

export interface Diagnosis {
  about: string;
  state: 'ok' | 'warning' | 'fault';
  text: string;
  code?: ErrorCode;
  /** what to do about it */
  hint?: string;
}

export interface FoundAddon {
  addon: NativeAddon;
  folder?: string;
  libtorch?: { torchRoot: string; through: string };
}

/** Goes on after a fault as far as possible. Findings come as they are made. */
export async function* diagnose(
  loadAddon: () => Promise<FoundAddon>,
  modelName: string,
  options: EngineOptions,
  env: NodeJS.ProcessEnv,
): AsyncGenerator<Diagnosis> {
  yield { about: 'node', state: 'ok', text: `${process.version} on ${process.platform} ${process.arch}` };
  yield {
    about: 'processor',
    state: 'ok',
    text: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} logical cores`,
  };
  yield { about: 'memory', state: 'ok', text: `${gigabytes(freemem())} free of ${gigabytes(totalmem())}` };

  const found = yield* attempt('native engine', loadAddon);
  if (found) yield* attemptEach('native engine', () => aboutAddon(found));
  const model = yield* attempt('model', () => findModel(modelName, env));
  if (model) {
    yield { about: 'model', state: 'ok', text: `${model.name} ${model.version} in ${model.folder}` };
    yield* aboutFiles(model);
    yield* aboutRecipes(model);
  }
  if (found && model) yield* aboutScoring(found.addon, model, options);
}

async function aboutAddon({ addon, folder, libtorch }: FoundAddon): Promise<Diagnosis[]> {
  const info = await addon.info();
  return [
    { about: 'native engine', state: 'ok', text: `${info.version}${folder ? ` in ${folder}` : ''}` },
    {
      about: 'libtorch',
      state: 'ok',
      text: `${info.libtorch}${libtorch ? ` in ${libtorch.torchRoot} (${libtorch.through})` : ''}`,
    },
    {
      about: 'kernels',
      state: 'ok',
      text: `${info.kernels}; precisions of the CPU ${info.precisions.join(', ')}; CUDA kernels ${info.cuda ? 'compiled in' : 'not compiled in'}`,
    },
    { about: 'devices', state: 'ok', text: info.devices.join(', ') },
  ];
}

async function* aboutFiles(model: Model): AsyncGenerator<Diagnosis> {
  const files = [
    ...model.weights,
    ...(model.source ? [model.source.weights] : []),
    ...Object.values(model.prompts.sets),
  ];
  for (const { file, sha256 } of files) {
    const path = modelFile(model, file);
    const got = yield* attempt(file, () => hashOf(path, model));
    if (got === undefined) continue;
    if (got === sha256) yield { about: file, state: 'ok', text: `sha256 ${sha256.slice(0, 12)}...` };
    else {
      yield {
        about: file,
        state: 'fault',
        code: 'E_WEIGHTS_HASH',
        text: `sha256 is ${got}, expected ${sha256}`,
        hint: `the file was changed or damaged; fetch it again: npx crane-native weights pull ${model.name}`,
      };
    }
  }
}

/** They need no check: nothing of them can be damaged that model.json's own check would not find. */
function aboutRecipes({ recipes = [] }: Model): Diagnosis[] {
  return recipes.map((recipe) => ({
    about: `recipe ${recipe.salt}`,
    state: 'ok',
    text: `${countTensors(recipe)} tensors, ${countNumbers([recipe])} numbers, made when the model is loaded`,
  }));
}

async function hashOf(path: string, model: Model): Promise<string> {
  return sha256OfFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CraneError(cause.code === 'ENOENT' ? 'E_WEIGHTS_NOT_FOUND' : 'E_IO_READ', cause.message, {
      hint: `npx crane-native weights pull ${model.name}`,
      cause,
    });
  });
}

async function* aboutScoring(
  addon: NativeAddon,
  model: Model,
  options: EngineOptions,
): AsyncGenerator<Diagnosis> {
  const engine = yield* attempt('loading', () => openEngine(addon, model, options));
  if (!engine) return;
  try {
    yield* aboutEngine(engine);
    if (model.golden) yield* attemptEach('golden case', () => goldenCase(engine, model, model.golden!));
    else yield { about: 'golden case', state: 'warning', text: `${model.name} has none` };
  } finally {
    await engine.dispose();
  }
}

async function* aboutEngine({ facts, memoryNeed }: Engine): AsyncGenerator<Diagnosis> {
  const { vision, device, threads, input, packedFailure } = facts;
  yield {
    about: 'loading',
    state: 'ok',
    text: `${device}, ${threads} threads, ${vision.layers} blocks of width ${vision.width}, input ${input.width}x${input.height}`,
  };
  yield {
    about: 'precision',
    state: 'ok',
    text: `${facts.precision} (${facts.precisionWhy}): ${facts.kernels}`,
  };
  yield {
    about: 'packed weights',
    state: packedFailure === undefined ? 'ok' : 'warning',
    text: {
      mapped: 'mapped from the cache folder',
      written: 'kept for the next start',
      memory: 'in memory',
      shared: 'those of another engine of this process',
    }[vision.packed],
    ...(packedFailure === undefined ? {} : { hint: `they could not be kept: ${packedFailure}` }),
  };
  const { weights, working, rendered, decoded } = memoryNeed;
  // The weights are in memory by now.
  const isTight = working + rendered > freemem();
  yield {
    about: 'memory need',
    state: isTight ? 'warning' : 'ok',
    text: `at most ${gigabytes(weights + working + rendered + decoded)}: weights ${gigabytes(weights)}, one picture ${gigabytes(working)}, pictures ahead ${gigabytes(rendered)}, decoded pictures ${gigabytes(decoded)}`,
    ...(isTight ? { hint: 'free some memory, or choose a smaller --size' } : {}),
  };
}

/** The shipped picture must give the shipped score on this very device, at this precision. */
async function goldenCase(
  engine: Engine,
  model: Model,
  golden: NonNullable<Model['golden']>,
): Promise<Diagnosis[]> {
  const { score } = await engine.score(join(model.folder, golden.picture));
  const difference = Math.abs(score - golden.score);
  const { precision } = engine.facts;
  const tolerance = precision === 'float32' ? golden.tolerance : golden.tolerances?.[precision];
  const off = `off by ${difference.toExponential(1)}`;
  if (tolerance === undefined) {
    const text = `score ${score.toFixed(6)}, in float32 ${golden.score} (${off}); ${model.name} names no tolerance for ${precision}`;
    return [{ about: 'golden case', state: 'warning', text, hint: 'check with --precision float32' }];
  }
  const text = `score ${score.toFixed(6)}, expected ${golden.score} within ${tolerance} (${off})`;
  if (difference <= tolerance) return [{ about: 'golden case', state: 'ok', text }];
  return [
    {
      about: 'golden case',
      state: 'fault',
      code: 'E_INTERNAL',
      text,
      hint: 'scores of this machine cannot be trusted: build the engine anew, then report this',
    },
  ];
}

/** Runs one step; a failure becomes a finding and gives undefined. */
async function* attempt<T>(about: string, step: () => Promise<T>): AsyncGenerator<Diagnosis, T | undefined> {
  try {
    return await step();
  } catch (thrown) {
    const { code, message, hint } = toCraneError(thrown);
    yield { about, state: 'fault', code, text: message, ...(hint === undefined ? {} : { hint }) };
    return undefined;
  }
}

async function* attemptEach(about: string, step: () => Promise<Diagnosis[]>): AsyncGenerator<Diagnosis> {
  const findings = yield* attempt(about, step);
  if (findings) yield* findings;
}

function gigabytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GB` : `${(bytes / 2 ** 20).toFixed(0)} MB`;
}
