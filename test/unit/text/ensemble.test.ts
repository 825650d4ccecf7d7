import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Ensemble, ensembles, sentencesOf } from '../../../src/text/ensemble.js';

const names = Object.keys(ensembles) as (keyof typeof ensembles)[];
const of = (name: keyof typeof ensembles, className: string) => sentencesOf(ensembles[name], className);

describe('the ensembles', () => {
  it.each([
    ['winclip', 'bottle', 154, 88],
    ['vand', 'bottle', 245, 175],
    ['adaclip', 'bottle', 28, 20],
    ['anovl', 'bottle', 462, 462],
    ['anovl', 'leather', 462, 462],
  ] as const)('%s of %s: %i and %i sentences, none twice', (name, className, normal, anomalous) => {
    const sentences = of(name, className);
    expect([sentences.normal.length, sentences.anomalous.length]).toEqual([normal, anomalous]);
    const all = [...sentences.normal, ...sentences.anomalous];
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((sentence) => !/^[a-z][a-z -]*\.?$/.test(sentence))).toEqual([]);
  });

  it('say where they are from', () => {
    for (const name of names)
      expect(ensembles[name].from).toMatch(/^github\.com\/.* at [0-9a-f]{7}, MIT, \(c\) /);
  });

  it('name every set of templates that a use lists', () => {
    for (const name of names) {
      const { uses, templates }: Ensemble = ensembles[name];
      expect(uses.at(-1)?.classes, 'the last use is for all classes').toBeUndefined();
      for (const set of uses.flatMap((use) => use.templates)) expect(Object.keys(templates)).toContain(set);
    }
  });

  it('keep the order of their loops', () => {
    expect(of('winclip', 'metal_nut').normal.slice(0, 8)).toEqual([
      'a cropped photo of the metal_nut',
      'a cropped photo of the flawless metal_nut',
      'a cropped photo of the perfect metal_nut',
      'a cropped photo of the unblemished metal_nut',
      'a cropped photo of the metal_nut without flaw',
      'a cropped photo of the metal_nut without defect',
      'a cropped photo of the metal_nut without damage',
      'a cropped photo of a metal_nut',
    ]);
    expect(of('vand', 'pcb1').anomalous.slice(34, 37)).toEqual([
      'this is one damaged pcb1 in the scene.',
      'a bad photo of a broken pcb1.',
      'a low resolution photo of the broken pcb1.',
    ]);
    expect(of('adaclip', 'bottle').normal.slice(3, 5)).toEqual([
      'a cropped photo of the bottle.',
      'a bad photo of a flawless bottle.',
    ]);
  });

  it('take textures in other words than objects', () => {
    const first = (className: string) => {
      const { normal } = of('anovl', className);
      return [normal[0], normal[154], normal[308]];
    };
    expect(first('leather')).toEqual([
      'a cropped industrial photo of the normal leather',
      'a cropped textural photo of the normal leather',
      'a cropped surface picture of the normal leather',
    ]);
    expect(first('cable')).toEqual([
      'a cropped industrial photo of the normal cable',
      'a cropped industrial image of the normal cable',
      'a cropped manufacturing image of the normal cable',
    ]);
  });

  it('spell class names as each system does', () => {
    expect(of('adaclip', 'pipe-fryum').normal[0]).toBe('a bad photo of a pipe fryum.');
    expect(of('vand', 'pipe-fryum').normal[0]).toBe('a bad photo of a pipe-fryum.');
    expect(of('anovl', 'macaroni2').normal[0]).toBe('a cropped industrial photo of the normal macaroni');
    expect(of('winclip', 'macaroni2').normal[0]).toBe('a cropped photo of the macaroni2');
  });

  it('put a name in as it is, whatever it holds', () => {
    expect(of('vand', '{} $& $1').anomalous[0]).toBe('a bad photo of a damaged {} $& $1.');
    expect(of('anovl', 'constructor').normal[0]).toBe('a cropped industrial photo of the normal constructor');
  });

  it.each([undefined, '', '  '])('refuse a class name %j', (className) => {
    expect(() => sentencesOf(ensembles.vand, className)).toThrow(
      expect.objectContaining({ code: 'E_PROMPTS', hint: expect.stringContaining('--class-name') }),
    );
  });

  const facts = `${process.env['CRANE_METHODS'] ?? '/nowhere'}/prompts.json`;
  it.runIf(existsSync(facts))('hold the words of prompts.json', () => {
    const published = JSON.parse(readFileSync(facts, 'utf8'));
    for (const name of names) {
      const { states, templates }: Ensemble = ensembles[name];
      expect(states.normal).toEqual(published[name].normal_states);
      expect(states.anomalous).toEqual(published[name].abnormal_states);
      const sets = published[name].template_sets ?? { photo: published[name].templates };
      expect(Object.values(templates)).toEqual(Object.values(sets));
    }
  });
});
