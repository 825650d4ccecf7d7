import { describe, expect, it } from 'vitest';
import { fnv1a, level, makeTensor, readGroup, synthTensors } from '../../parity/fixture/recipe.js';

describe('the weight recipe', () => {
  it('gives the published test values', () => {
    const seed = fnv1a('toyA:visual.proj');
    expect(seed).toBe(0xcbe1534d);
    expect([0, 1, 2, 3, 4, 5].map((i) => level(seed, i))).toEqual([997, 95, -603, 529, 709, -59]);
    const tensor = makeTensor('toyA', { name: 'visual.proj', shape: [2, 2], exponent: 3, base: 0 });
    expect(Array.from(tensor.subarray(0, 3))).toEqual([0.1217041015625, 0.0115966796875, -0.0736083984375]);
  });

  it('fills constant tensors with their base', () => {
    expect(makeTensor('s', { name: 'logit_scale', shape: [], exponent: null, base: 2 })).toEqual(
      Float32Array.of(2),
    );
  });

  it('reads rows with and without a type, and constants', () => {
    const { tensors } = readGroup({
      salt: 's',
      tensors: [
        ['a', [2], 3, 1, 'f32', 2.5, [1, 1.5]],
        ['b', [4], 6, 0, 0.5, [0.1, 0.2, 0.3]],
        ['c', [4], 2, 1, 4, [1, 1, 1]],
        { name: 'd', shape: [], constant: 4.5 },
      ],
    });
    expect(tensors.map(({ name, dtype, exponent, sum }) => [name, dtype, exponent, sum])).toEqual([
      ['a', 'f32', 3, 2.5],
      ['b', 'f16', 6, 0.5],
      ['c', 'f32', 2, 4],
      ['d', 'f32', null, 4.5],
    ]);
  });

  it('hands rows to the engine with the salt of their group', () => {
    const group = readGroup({ salt: 'toy', tensors: [['a', [2], 3, 0, 'f16', 0, [0, 0]]] });
    expect(synthTensors(group, (tensor) => ({ ...tensor, exponent: -3 }))).toEqual([
      { salt: 'toy', name: 'a', shape: [2], exponent: -3, base: 0, dtype: 'f16' },
    ]);
  });
});
