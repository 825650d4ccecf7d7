import { describe, expect, it } from 'vitest';
import { defaultMethod, findMethod } from '../../../src/methods/registry.js';

const material = (className: string | undefined) =>
  findMethod('anovl').material({ texts: undefined, file: undefined, className });

describe('anovl', () => {
  it('compares with 462 sentences a side, textures with others than objects', () => {
    for (const [name, first] of [
      ['leather', 'a cropped industrial photo of the normal leather'],
      ['macaroni2', 'a cropped industrial photo of the normal macaroni'],
    ] as const) {
      const { texts } = material(name);
      expect([texts['normal']!.length, texts['anomalous']!.length]).toEqual([462, 462]);
      expect(texts['normal']![0]).toBe(first);
    }
    const isTexture = (name: string) =>
      material(name).texts['normal']!.some((each) => each.includes('surface'));
    expect(['leather', 'wood', 'bottle'].map(isTexture)).toEqual([true, true, false]);
  });

  it('cannot do without the name of what a picture shows', () => {
    expect(() => material(undefined)).toThrow(expect.objectContaining({ code: 'E_PROMPTS' }));
  });

  it('couples pictures only where its adapter carries its state on', () => {
    const method = defaultMethod('anovl');
    const { facts } = findMethod('anovl');
    const carries = { ...method, compat: { ...(method['compat'] as object), carriedState: true } };
    expect(
      [method, carries, { ...carries, adapter: 'none' }].map((each) => facts(each, false).couplesPictures),
    ).toEqual([false, true, false]);
  });
});
