/** P1: a prompt file's own start and end tokens are not those of the model. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TokenComparison } from '../../../src/addon/native.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineOptions, EngineWarning } from '../../../src/options/types.js';
import { makeFakeAddon } from './fake-addon.js';
import { makeToyFolder, makeToyModel } from './toy-model.js';

let folder: string;
let model: Model;
beforeAll(async () => {
  folder = await makeToyFolder();
  model = await makeToyModel(join(folder, 'model'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function warningsOf(tokens: TokenComparison, more: EngineOptions = {}): Promise<EngineWarning[]> {
  const warnings: EngineWarning[] = [];
  const addon = makeFakeAddon({ tokens });
  const engine = await openEngine(addon, model, {
    ...more,
    onWarning: (warning) => warnings.push(warning),
  });
  await engine.dispose();
  return warnings;
}

it('is warned of once', async () => {
  const [warning, ...more] = await warningsOf({ rows: 6, difference: 0.03, magnitude: 0.04 });
  expect(more).toEqual([]);
  expect(warning).toMatchObject({ code: 'W_PROMPT_TOKENS' });
  expect(warning!.message).toMatch(/prompts\.safetensors: .*another text tower.* The model's are used/);
});

it('says whose tokens are used', async () => {
  const [warning] = await warningsOf(
    { rows: 6, difference: 0.03, magnitude: 0.04 },
    { compat: { storedTokens: true } },
  );
  expect(warning!.message).toMatch(/The file's are used/);
});

it('is silent within rounding and without such tokens', async () => {
  expect(await warningsOf({ rows: 6, difference: 0.04 / 256, magnitude: 0.04 })).toEqual([]);
  expect(await warningsOf({ rows: 6, difference: 0.04 / 250, magnitude: 0.04 })).toHaveLength(1);
  expect(await warningsOf({ rows: 0, difference: 9, magnitude: 0 })).toEqual([]);
});
