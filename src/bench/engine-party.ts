/** Our engine as a party: the whole way of a picture, from the file's bytes to score and map. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import { openEngine } from '../engine/load-engine.js';
import { isFailed, type Timings } from '../engine/result.js';
import { CraneError } from '../errors.js';
import { methodName } from '../methods/descriptor.js';
import { embeddedModels } from '../models/find-model.js';
import type { Model } from '../models/model-json.js';
import type { EngineOptions } from '../options/types.js';
import { forgetPeak, residentMemory } from './memory.js';
import { type ModelWork, modelWork } from './model-work.js';
import { totalGflop } from './operations.js';
import type { Party, PartyFacts, Sample } from './party.js';

export interface EngineParty extends Party {
  engine: Engine;
  /** what its arithmetic is counted from */
  work: ModelWork;
}

export interface EnginePartyParts {
  name: string;
  addon: NativeAddon;
  model: Model;
  options: EngineOptions;
}

/** @throws CraneError as openEngine */
export async function openEngineParty({
  name,
  addon,
  model,
  options,
}: EnginePartyParts): Promise<EngineParty> {
  forgetPeak();
  const pictures = await samplePictures();
  const start = performance.now();
  const engine = await openEngine(addon, model, options);
  const openSeconds = (performance.now() - start) / 1000;
  try {
    const { peakBytes } = residentMemory();
    const work = await modelWork(engine, model);
    const { kernels: ofProcess, libtorch } = await addon.info();
    const { precision, kernels } = choiceOf(engine, ofProcess);
    const facts: PartyFacts = {
      title: `${model.name}, ${methodName(engine.settings().method)}, kernels ${kernels}`,
      versions: { libtorch },
      threads: engine.facts.threads,
      precision,
      gflop: totalGflop(work.parts),
      weightBytes: engine.facts.weightBytes,
      openSeconds,
      openPeakBytes: peakBytes,
    };
    return new OwnEngine(name, facts, engine, work, pictures);
  } catch (thrown) {
    await engine.dispose();
    throw thrown;
  }
}

/** What this very engine chose; where it had no choice, float32 and the kernels of the process. */
function choiceOf({ facts }: Engine, kernels: string): { precision: string; kernels: string } {
  return { precision: 'float32', kernels, ...pickText(facts, ['precision', 'kernels']) };
}

function pickText(facts: object, names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(facts).filter(([name]) => names.includes(name)));
}

class OwnEngine implements EngineParty {
  /** the next picture; every party of a run takes them in the same order */
  #next = 0;
  readonly #pictures: readonly string[];

  constructor(
    readonly name: string,
    readonly facts: PartyFacts,
    readonly engine: Engine,
    readonly work: ModelWork,
    pictures: readonly string[],
  ) {
    this.#pictures = pictures;
  }

  async run(batch: number, stop: AbortSignal): Promise<Sample> {
    const pictures = this.#pictures;
    const inputs = Array.from({ length: batch }, () => pictures[this.#next++ % pictures.length]!);
    const stages: Timings[] = [];
    forgetPeak();
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    for await (const outcome of this.engine.scoreMany(inputs, { batch, map: true, signal: stop })) {
      if (isFailed(outcome)) {
        const { code, message, hint } = outcome.error;
        throw new CraneError(code, `${outcome.input}: ${message}`, { hint });
      }
      stages.push(outcome.ms);
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const { nowBytes, peakBytes } = residentMemory();
    return {
      seconds,
      cpuSeconds: (user + system) / 1e6,
      stages: meanStages(stages),
      peakBytes,
      residentBytes: nowBytes,
    };
  }

  close(): Promise<void> {
    return this.engine.dispose();
  }
}

function meanStages(all: readonly Timings[]): Timings {
  const mean = (stage: keyof Timings) => all.reduce((sum, ms) => sum + ms[stage], 0) / all.length;
  return {
    decode: mean('decode'),
    preprocess: mean('preprocess'),
    forward: mean('forward'),
    postprocess: mean('postprocess'),
  };
}

/** Of the embedded model: photographs as files, the same for every model. */
export async function samplePictures(): Promise<string[]> {
  const folder = join(embeddedModels, 'crane-mini', 'samples');
  const samples = JSON.parse(await readFile(join(folder, 'samples.json'), 'utf8')) as { picture: string }[];
  return samples.map(({ picture }) => join(folder, picture));
}
