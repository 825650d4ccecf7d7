import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    ({ code }: CraneError) => code,
  );
const greys = (...values: number[]) => values.map((value) => pixels(value));

describe('evidence', () => {
  it('names the method, whose settings are those of the model where it is built on them', async () => {
    const { engine } = await toy.open();
    const own = engine.settings().method;
    const { method } = engine.settings({ evidence: 'both' });
    expect(method.name).toBe('both');
    expect(method).toMatchObject({ features: own['features'], eAttnLayers: own['eAttnLayers'] });
    expect(method.imageScore).toBe('both');
    expect(engine.settings({ evidence: 'prompts' }).method).toEqual(own);
    expect(engine.settings({ evidence: 'normals' }).method.name).toBe('normals');
  });

  it('of both compares with prompts beside the bank', async () => {
    const { engine, addon } = await toy.open({ evidence: 'both' });
    const bank = await engine.learnNormals(greys(40, 60));
    const { besideBank } = await import('../../../src/methods/both.js').then(({ both }) => both);
    expect(bank.facts.beside).toEqual(besideBank(engine.settings().method as never));
    expect(bank.facts.method).toBeUndefined();
    const result = await engine.score(pixels(50), { normals: bank });
    const made = addon.log.prompts.at(-1)!;
    expect(made.method.name).toBe('both');
    expect(made.material.texts['normal']).toBeDefined();
    expect(made.material.files['prompts']).toBeDefined();
    expect(made.material.contexts?.['memory']).toHaveLength(1);
    const alone = await engine.score(pixels(50), { normals: bank, evidence: 'normals' });
    expect(result.model).not.toBe(alone.model);
  });

  it('of both refuses a bank of patches alone, or of other settings', async () => {
    const { engine } = await toy.open();
    const plain = await engine.learnNormals(greys(40, 60));
    expect(await codeOf(engine.score(pixels(50), { normals: plain, evidence: 'both' }))).toBe('E_NORMALS');
    const { engine: other } = await toy.open({ evidence: 'both' });
    const bank = await other.learnNormals(greys(40, 60));
    expect(await codeOf(other.score(pixels(50), { normals: bank, eAttn: 'vv' }))).toBe('E_NORMALS');
    expect(await codeOf(other.score(pixels(50), { normals: bank, temperature: 0.1 }))).toBe('no error');
  });

  it('refuses what it contradicts', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(40, 60));
    expect(await codeOf(engine.score(pixels(5), { evidence: 'both' }))).toBe('E_USAGE');
    expect(await codeOf(engine.score(pixels(5), { evidence: 'normals' }))).toBe('E_USAGE');
    expect(await codeOf(engine.score(pixels(5), { evidence: 'prompts', normals: bank }))).toBe('E_USAGE');
    expect(
      await codeOf(engine.score(pixels(5), { evidence: 'both', method: 'normals', normals: bank })),
    ).toBe('E_USAGE');
    expect(await codeOf(engine.score(pixels(5), { evidence: 'prompts', method: 'normals' }))).toBe('E_USAGE');
  });
});
