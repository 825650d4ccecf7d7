/** A folder with a toy model and toy sets, and trainers over a fake engine in it. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineOptions } from '../../../src/options/types.js';
import { makeTrainer, type Trainer, type TrainerOptions } from '../../../src/train/trainer.js';
import { type FakeAddon, type FakeBehaviour, makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';
import { writeToySet } from './toy-set.js';

export class Workplace {
  folder = '';
  model!: Model;
  /** 3 normal and 3 anomalous pictures */
  set = '';

  at(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  get env(): NodeJS.ProcessEnv {
    return { CRANE_CACHE: this.at('cache') };
  }

  async trainer(
    options: Partial<TrainerOptions> & { out: string },
    { addon = makeFakeAddon(), engine = {} as EngineOptions } = {},
  ): Promise<Trainer> {
    const opened = await openEngine(addon, this.model, engine);
    return makeTrainer({ engine: opened, data: this.set, batchSize: 2, ...options }, this.env);
  }

  /** Name and bytes of every file of a run, but those that hold times. */
  async bytesOf(out: string): Promise<Record<string, string>> {
    const names = (await readdir(out)).filter((name) => name !== 'run.json' && name !== 'report.html').sort();
    const files = await Promise.all(
      names.map(async (name) => [name, await readFile(join(out, name), 'hex')]),
    );
    return Object.fromEntries(files) as Record<string, string>;
  }
}

/** One for the tests of a file. */
export function useWorkplace(): Workplace {
  const workplace = new Workplace();
  beforeAll(async () => {
    workplace.folder = await makeToyFolder();
    workplace.model = await makeToyModel(workplace.at('model'));
    workplace.set = await writeToySet(workplace.at('set'));
  });
  afterAll(() => rm(workplace.folder, { recursive: true, force: true }));
  return workplace;
}

export function fake(training: FakeBehaviour['training'] = {}): FakeAddon {
  return makeFakeAddon({ training: training ?? {} });
}

/** The error that a promise rejects with. */
export async function errorOf(work: PromiseLike<unknown>): Promise<Error & { code?: string; hint?: string }> {
  try {
    await work;
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('expected an error');
}
