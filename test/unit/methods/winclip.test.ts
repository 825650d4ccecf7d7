import { describe, expect, it } from 'vitest';
import { defaultMethod, findMethod } from '../../../src/methods/registry.js';
import { winclip } from '../../../src/methods/winclip.js';

const material = (className: string | undefined) =>
  findMethod('winclip').material({ texts: undefined, file: undefined, className });

describe('winclip', () => {
  it('compares with 154 sentences of normal parts and 88 of anomalous ones', () => {
    const { texts, files } = material('metal_nut');
    expect(files).toEqual({});
    expect(Object.keys(texts).sort()).toEqual(['anomalous', 'normal']);
    expect([texts['normal']!.length, texts['anomalous']!.length]).toEqual([154, 88]);
    expect(texts['normal']!.slice(0, 2)).toEqual([
      'a cropped photo of the metal_nut',
      'a cropped photo of the flawless metal_nut',
    ]);
    expect(texts['anomalous']![4]).toBe('a cropped photo of a damaged metal_nut');
  });

  it('cannot do without the name of what a picture shows', () => {
    for (const className of [undefined, '', ' '])
      expect(() => material(className)).toThrow(
        expect.objectContaining({ code: 'E_PROMPTS', hint: expect.stringContaining('--class-name') }),
      );
  });

  it('says that its values end at one half, unless nothing is halved', () => {
    const method = defaultMethod('winclip');
    const { ranges } = findMethod('winclip');
    expect(ranges(method, false)).toEqual({ score: [0, 0.5], map: [0, 0.5] });
    const whole = { ...method, compat: { ...(method['compat'] as object), halvedMap: false } };
    expect(ranges(whole, false)).toEqual({ score: [0, 1], map: [0, 1] });
    expect(ranges(whole, true)).toEqual({ score: [0, 0.5], map: [0, 0.5] });
  });

  it('leaves off what the public code does by mistake with colours', () => {
    expect(winclip.defaults['compat.bgr']).toBe(false);
    expect(winclip.about.notes.join(' ')).toContain('70.2');
  });
});
