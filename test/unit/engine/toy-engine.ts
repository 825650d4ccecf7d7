/** A toy model for the tests of one file, and engines of it beside a fake addon. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineOptions } from '../../../src/options/types.js';
import { type FakeBehaviour, makeFakeAddon } from './fake-addon.js';
import { makeToyFolder, makeToyModel } from './toy-model.js';

export function useToyModel() {
  let folder: string;
  let model: Model;
  beforeAll(async () => {
    folder = await makeToyFolder();
    model = await makeToyModel(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return {
    model: () => model,
    /** a path in the model's folder */
    at: (...parts: string[]) => join(folder, ...parts),
    async open(options: EngineOptions = {}, behaviour: FakeBehaviour = {}) {
      const addon = makeFakeAddon(behaviour);
      return { addon, engine: await openEngine(addon, model, options) };
    },
  };
}
