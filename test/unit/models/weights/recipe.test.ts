import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeAddon, SynthTensor } from '../../../../src/addon/native.js';
import { clipTensors, fullSalts, fullSizes, promptTensors } from '../../../../src/models/weights/recipe.js';
import { learnedRecipes } from '../../../../src/models/weights/recipe-learned.js';
import { sourceRecipes } from '../../../../src/models/weights/recipe-sources.js';
import { builtAddon } from './built-addon.js';
import { wholeFixtures } from './whole-fixtures.js';

const ofSource = (kind: keyof typeof sourceRecipes) => {
  const { tensors, salt } = sourceRecipes[kind];
  return tensors(salt);
};
const made: Record<string, SynthTensor[]> = {
  clip: clipTensors(fullSizes.clip, fullSalts.clip),
  dinov2: ofSource('dinov2'),
  prompt: promptTensors(fullSizes.prompts, fullSalts.prompts),
};
const groups = Object.keys(made);

describe('the recipe', () => {
  it('makes as many values as the published models have', () => {
    const values = (group: string) =>
      made[group]!.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
    expect(groups.map(values)).toEqual([427_944_193, 86_583_552, 43_008]);
  });

  // DINO ViT-B/8: 85.8 million; SAM's image encoder: 89.7 million, the published counts
  it.each([
    ['dino', 85_807_872],
    ['sam', 89_670_912],
  ] as const)('makes as many values as the published %s has', (kind, count) => {
    const tensors = ofSource(kind);
    const values = tensors.reduce(
      (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1),
      0,
    );
    expect(values).toBe(count);
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
  });

  // a megabyte is a quarter of a million values: 12.6 MB and about 43 MB, the sizes of the authors' files
  it.each([
    ['vand', 4 * (1024 * 768 + 768)],
    ['adaclip', 10_665_472],
    ['anomalyclip', 43_008],
  ] as const)('makes as many values as %s learns', (kind, count) => {
    const { tensors } = learnedRecipes[kind]();
    const values = tensors.reduce((sum, { shape }) => sum + shape.reduce((all, side) => all * side, 1), 0);
    expect(values).toBe(count);
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
  });

  it('names no tensor twice', () => {
    for (const tensors of Object.values(made))
      expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
  });

  it('is stored as f16 exactly where f16 holds every value', () => {
    // (2k - 1023) / 1024 * 2^-e has 10 significant bits; added to 1 or 0.5 it has 13
    const f16 = (value: number) => Math.fround(value) === new Float16(value).value;
    for (const { exponent, base, dtype, columnScale = 1 } of made['clip']!.concat(made['dinov2']!)) {
      const scale = exponent === null ? 0 : 2 ** -exponent;
      const isExact = [0, 1, 511, 512, 777, 1023].every((k) =>
        f16((base + ((2 * k - 1023) / 1024) * scale) * columnScale),
      );
      expect(dtype).toBe(isExact ? 'f16' : 'f32');
    }
  });

  it('weakens the columns of the two projections from 48 on, and nothing else', () => {
    const scaled = made['clip']!.filter(({ columnFrom }) => columnFrom !== undefined);
    expect(scaled.map(({ name, columnFrom, columnScale }) => [name, columnFrom, columnScale])).toEqual([
      ['text_projection', 48, 1 / 16],
      ['visual.proj', 48, 1 / 16],
    ]);
  });
});

/** Rounds to IEEE half precision, ties to even. */
class Float16 {
  readonly value: number;
  constructor(value: number) {
    if (value === 0) this.value = 0;
    else {
      const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
      const step = 2 ** (exponent - 10);
      const down = Math.floor(value / step);
      const rest = value / step - down;
      this.value = (rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down) * step;
    }
  }
}

type IndexRow =
  | [string, number[], number | null, number, number, number[]]
  | { name: string; constant: number };

describe.skipIf(wholeFixtures === undefined)('the recipe against full/index.json of CRANE_PARITY', () => {
  let index: Record<string, { salt: string; tensors: IndexRow[] }>;
  let addon: NativeAddon | undefined;
  let folder: string;
  beforeAll(async () => {
    index = JSON.parse(await readFile(join(wholeFixtures ?? '', 'full', 'index.json'), 'utf8'));
    addon = await builtAddon();
    folder = await mkdtemp(join(tmpdir(), 'crane-recipe-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(groups)('%s: every name, shape, exponent and base, in the same order', (group) => {
    const { salt, tensors } = index[group]!;
    expect(
      made[group]!.map((tensor) => {
        expect(tensor.salt).toBe(salt);
        const { name, shape, exponent, base } = tensor;
        return exponent === null ? { name, shape, constant: base } : [name, shape, exponent, base];
      }),
    ).toEqual(tensors.map((row) => (Array.isArray(row) ? row.slice(0, 4) : row)));
  });

  it.each(groups)('%s: the sum and the first values of every tensor', { timeout: 300_000 }, async (group) => {
    if (!addon) return expect.fail('CRANE_PARITY is given, but the engine is not built');
    const path = join(folder, `${group}.safetensors`);
    // the index was written before the projections' columns were scaled
    const plain = made[group]!.map(({ columnFrom: _from, columnScale: _scale, ...rest }) => rest);
    await addon.synthWeights(path, plain, {});
    let compared = 0;
    for (const row of index[group]!.tensors) {
      if (!Array.isArray(row)) continue;
      const [name, , , , sum, first] = row;
      const values = (await addon.readTensor(path, name)).data as Float32Array;
      let total = 0;
      for (const value of values) total += value;
      expect([...values.subarray(0, 3)], name).toEqual(first);
      // sums of multiples of 2^-17 are exact in float64, in any order
      expect(total, name).toBe(sum);
      compared++;
    }
    expect(compared).toBe(index[group]!.tensors.filter(Array.isArray).length);
    await rm(path);
  });

  it('scales the columns of the projections and leaves the others', { timeout: 60_000 }, async () => {
    if (!addon) return expect.fail('CRANE_PARITY is given, but the engine is not built');
    const path = join(folder, 'projection.safetensors');
    const projection = made['clip']!.find(({ name }) => name === 'text_projection')!;
    const { columnFrom: _from, columnScale: _scale, ...plain } = projection;
    await addon.synthWeights(path, [projection], {});
    await addon.synthWeights(`${path}.plain`, [plain], {});
    const scaled = (await addon.readTensor(path, projection.name)).data as Float32Array;
    const before = (await addon.readTensor(`${path}.plain`, projection.name)).data as Float32Array;
    expect(scaled).toHaveLength(768 * 768);
    const wrong = scaled.findIndex((value, i) => value !== before[i]! * (i % 768 < 48 ? 1 : 1 / 16));
    expect(wrong).toBe(-1);
  });
});
