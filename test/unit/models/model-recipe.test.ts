import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { parseModelJson } from '../../../src/models/model-json.js';
import {
  countNumbers,
  countTensors,
  type Recipe,
  recipeTensors,
} from '../../../src/models/recipe-tensors.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, makeToyModel, toyModelJson } from '../engine/toy-model.js';

const tower: Recipe = {
  salt: 'toy/text',
  blocks: 2,
  tensors: [
    { name: 'text.token_ids', values: [7, 49407] },
    { name: 'text.blocks.#.qkv.weight', shape: [6, 2], exponent: 4 },
    { name: 'text.blocks.#.ln1.weight', shape: [2], base: 1 },
    { name: 'text.proj', shape: [2, 3], exponent: 2, base: 0.5 },
  ],
};

const parse = (recipes: unknown) => parseModelJson(JSON.stringify({ ...toyModelJson, recipes }), 'm.json');

describe('a recipe', () => {
  it('becomes one tensor per name, and one per block where the name has a #', () => {
    const common = { salt: 'toy/text', exponent: null, base: 0 };
    expect(recipeTensors(parse([tower]).recipes![0]!)).toEqual([
      { ...common, name: 'text.token_ids', shape: [2], dtype: 'i32', values: [7, 49407] },
      { ...common, name: 'text.blocks.0.qkv.weight', shape: [6, 2], exponent: 4, dtype: 'f32' },
      { ...common, name: 'text.blocks.1.qkv.weight', shape: [6, 2], exponent: 4, dtype: 'f32' },
      { ...common, name: 'text.blocks.0.ln1.weight', shape: [2], base: 1, dtype: 'f32' },
      { ...common, name: 'text.blocks.1.ln1.weight', shape: [2], base: 1, dtype: 'f32' },
      { ...common, name: 'text.proj', shape: [2, 3], exponent: 2, base: 0.5, dtype: 'f32' },
    ]);
  });

  it('is counted with all its blocks', () => {
    expect(countTensors(tower)).toBe(6);
    expect(countNumbers([tower, tower])).toBe(2 * (2 + 2 * 12 + 2 * 2 + 6));
    expect(countNumbers()).toBe(0);
  });

  const row = { name: 'a', shape: [2], exponent: 1 };
  it.each<[string, RegExp, unknown]>([
    ['with a shape of terabytes', /numbers at most/, [{ ...row, shape: [2 ** 40] }]],
    ['whose shape overflows', /numbers at most/, [{ ...row, shape: [2 ** 50, 2 ** 50, 2 ** 50, 2 ** 50] }]],
    ['whose blocks add up to too much', /numbers at most/, [{ ...row, name: 'a#', shape: [2 ** 20] }]],
    [
      'whose blocks are too many tensors',
      /4096 tensors/,
      ['a#', 'b#', 'c#', 'd#', 'e#'].map((name) => ({ ...row, name })),
    ],
    ['with a side of zero', /tensors\.0\.shape\.0/, [{ ...row, shape: [0] }]],
    ['with half a side', /tensors\.0\.shape\.0/, [{ ...row, shape: [1.5] }]],
    ['without any value', /either "shape"/, [{ name: 'a', shape: [2] }]],
    ['with a shape beside given values', /either "shape"/, [{ ...row, values: [1, 2] }]],
    ['with a base beside given values', /either "shape"/, [{ name: 'a', values: [1, 2], base: 1 }]],
    ['without shape and values', /either "shape"/, [{ name: 'a', exponent: 1 }]],
    ['with a value that float32 cannot hold', /values\.0/, [{ name: 'a', values: [2 ** 24 + 1] }]],
    ['with an exponent out of range', /exponent/, [{ ...row, exponent: 1000 }]],
    ['with two numbers in a name', /at most one "#"/, [{ ...row, name: 'a.#.b.#' }]],
    ['with a name twice', /every name once/, [row, row]],
    [
      'with a name twice through its blocks',
      /every name once/,
      [row, { ...row, name: 'a.#' }, { ...row, name: 'a.7' }],
    ],
    ['with a misspelt field', /"exponnent"/, [{ name: 'a', shape: [2], exponnent: 1 }]],
  ])('%s is E_MODEL_JSON and named', (_, message, tensors) => {
    const isRefused = expect.objectContaining({
      code: 'E_MODEL_JSON',
      message: expect.stringMatching(message),
    });
    expect(() => parse([{ salt: 's', blocks: 1000, tensors }])).toThrow(isRefused);
  });

  it('with a # in a name says of how many blocks', () => {
    expect(() => parse([{ salt: 's', tensors: [{ ...row, name: 'a#' }] }])).toThrow(/recipes\.0\.blocks/);
    // By the square of its length this would take minutes.
    const long = `${'a'.repeat(2 ** 20)}#b#`;
    expect(() => parse([{ salt: 's', tensors: [{ ...row, name: long }] }])).toThrow(/recipes\.0\.tensors/);
  });

  it('counts together with the others towards the limit', () => {
    const half = { salt: 's', tensors: [{ ...row, shape: [2 ** 27] }] };
    expect(parse([half, half]).recipes).toHaveLength(2);
    expect(() => parse([half, half, half])).toThrow(/numbers at most in all recipes/);
  });
});

describe('a model with a recipe', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await makeToyFolder();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const openToy = async (recipes: Recipe[] | undefined) => {
    const model = await makeToyModel(join(folder, 'toy'), (json) => Object.assign(json, { recipes }));
    const addon = makeFakeAddon();
    const engine = await openEngine(addon, model);
    await engine.dispose();
    return addon.log.opened[0]!;
  };

  it('hands the tensors to the engine beside the files, under a name for messages', async () => {
    expect((await openToy([tower])).recipes).toEqual([
      { name: `${join(folder, 'toy', 'model.json')}: recipe "toy/text"`, tensors: recipeTensors(tower) },
    ]);
    expect(await openToy(undefined)).not.toHaveProperty('recipes');
  });
});
