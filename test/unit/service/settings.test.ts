import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/service/settings.js';
import { makeToyFolder } from '../engine/toy-model.js';

let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'serve.yaml');
  await writeFile(path, text);
  return path;
}

describe('what the operator says', () => {
  it('may be nothing', async () => {
    expect(await readSettings({})).toMatchObject({
      host: '127.0.0.1',
      port: 8077,
      maxQueue: 256,
      models: [{ name: 'crane-mini', options: { model: 'crane-mini' }, promptSets: {} }],
    });
  });

  it('is a file with models and prompt sets, whose paths begin at its folder', async () => {
    const config = await file(`
# the line
port: 9000
tokenFile: tokens
threads: 2
models:
  bottles:
    model: ./models/bottles
    promptSets: { mine: prompts/mine.safetensors }
    prompts: mine
    threshold: 0.4
  crane-mini:
`);
    const settings = await readSettings({ config });
    expect(settings).toMatchObject({
      port: 9000,
      tokenFile: join(folder, 'tokens'),
      models: [
        {
          name: 'bottles',
          options: {
            model: join(folder, 'models/bottles'),
            prompts: join(folder, 'prompts/mine.safetensors'),
            threshold: 0.4,
            threads: 2,
          },
          promptSets: { mine: join(folder, 'prompts/mine.safetensors') },
        },
        { name: 'crane-mini', options: { model: 'crane-mini', threads: 2 }, promptSets: {} },
      ],
    });
    expect(Object.hasOwn(settings.models[1]!.options, 'threshold')).toBe(false);
  });

  it('in flags wins over the file, which wins over the defaults', async () => {
    const config = await file('port: 9000\nmaxFiles: 3\nmaxBatch: 4\n');
    const settings = await readSettings({ config, port: 9001, model: 'other', maxWaitMs: 7 });
    expect(settings).toMatchObject({ port: 9001, maxFiles: 3, maxBody: 64 * 2 ** 20 });
    expect(settings.models).toMatchObject([
      { name: 'other', options: { model: 'other', maxBatch: 4, maxWaitMs: 7 } },
    ]);
  });

  it('bounds the passes of a picture, more closely than the library does', async () => {
    const tilesOf = async (given: Parameters<typeof readSettings>[0]) =>
      (await readSettings(given)).models.map(({ options }) => options.maxTiles);
    expect(await tilesOf({})).toEqual([100]);
    expect(await tilesOf({ maxTiles: 7 })).toEqual([7]);
    const config = await file('maxTiles: 5\nmodels: { a: { maxTiles: 6 }, b: }\n');
    expect(await tilesOf({ config })).toEqual([6, 5]);
    expect(await tilesOf({ config: await file('models: { crane-mini: }') })).toEqual([100]);
  });

  it('may be JSON', async () => {
    const config = await file('{ "port": 9000, "models": { "a": { "model": "crane-mini" } } }');
    expect(await readSettings({ config })).toMatchObject({ port: 9000, models: [{ name: 'a' }] });
  });

  it.each([
    ['port: 9000\nprot: 1\n', /:2: there is no key "prot"/, 'did you mean "port"?'],
    ['port: many\n', /:1: Expected a whole number from 0 to 65535 for port but received "many"/, undefined],
    ['port: 9000\nport: 9001\n', /:2: Map keys must be unique/, undefined],
    ['a: [\n', /:\d: /, undefined],
    ['- a\n', /:1: Expected keys with values for the file/, undefined],
    ['models: 3\n', /:1: Expected keys with values for models/, undefined],
    [
      'models:\n  a:\n    treshold: 1\n',
      /:3: there is no key "models.a.treshold"/,
      'did you mean "threshold"?',
    ],
    [
      'models:\n  a:\n    threshold: 3\n',
      /:3: Expected a number from 0 to 2.* for models.a.threshold/,
      undefined,
    ],
    ['models:\n  a b:\n', /:2: "a b" is no name for a model/, undefined],
    [
      'models:\n  a:\n    promptSets:\n      m: 3\n',
      /:4: Expected a name and a prompt file for models.a.promptSets.m/,
      undefined,
    ],
    ['models:\n  a:\n    port: 3\n', /:3: there is no key "models.a.port"/, undefined],
    ['? [a]\n: b\n', /a key of the file that is no name/, undefined],
  ])('in %j is refused with line and key', async (text, message, hint) => {
    const config = await file(text);
    await expect(readSettings({ config })).rejects.toMatchObject({
      code: 'E_SERVICE_CONFIG',
      message: expect.stringMatching(message),
      ...(hint ? { hint } : {}),
    });
  });

  it.each([
    [{ maxFiles: 300 }, /maxFiles is 300 and maxQueue 256/],
    [{ maxBody: 2 ** 30 }, /maxBody is .* and maxHeldBytes/],
    [{ tlsCert: 'a' }, /TLS needs both/],
  ])('that contradicts itself is refused: %j', async (flags, message) => {
    await expect(readSettings(flags)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(message),
    });
  });

  it('names the models once', async () => {
    const config = await file('models:\n  a: { model: crane-mini }\n');
    await expect(readSettings({ config, model: 'b' })).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(readSettings({ config: join(folder, 'none') })).rejects.toMatchObject({ code: 'E_IO_READ' });
  });
});
