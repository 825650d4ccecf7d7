/** Banks that leave out the background: what a bank, a result and a merge say of it. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { CraneError } from '../../../src/errors.js';
import type { Model } from '../../../src/models/model-json.js';
import { collect } from '../awaiting.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    ({ code }: CraneError) => code,
  );
/** Of the fake engine dark pictures show a background: 4 of their 10 patches. */
const dark = [pixels(10), pixels(20)];
const bright = pixels(250);

describe('a bank of the foreground', () => {
  it('says so in its facts and file, and is another bank', async () => {
    const { engine, addon } = await toy.open();
    const whole = await engine.learnNormals(dark);
    const bank = await engine.learnNormals(dark, { bankForeground: true });
    const learned = addon.log.prompts.filter(({ material }) => material.normals);
    expect(learned.map(({ method }) => method['bankForeground'])).toEqual([false, false, true, true]);
    expect(bank.facts.foreground).toBe(true);
    expect(whole.facts).not.toHaveProperty('foreground');
    expect(bank.identity).not.toBe(whole.identity);
    expect(await codeOf(engine.mergeNormals([bank, whole]))).toBe('E_NORMALS');
    expect((await engine.mergeNormals([bank, bank])).facts.foreground).toBe(true);
    await bank.save(toy.at('foreground'));
    expect((await engine.openNormals(toy.at('foreground'))).facts).toEqual(bank.facts);
    expect(addon.log.prompts.at(-1)!.method['bankForeground']).toBe(true);
    const own: Model = { ...toy.model(), normals: { foreground: true } };
    const other = await openEngine(makeFakeAddon(), own);
    expect((await other.learnNormals(dark)).facts.foreground).toBe(true);
    expect((await other.learnNormals(dark, { bankForeground: false })).facts).not.toHaveProperty(
      'foreground',
    );
  });

  it('tells what was left out of its pictures', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals([...dark, bright], { bankForeground: true });
    const counts = bank.facts.pictures.map(({ leftOut, patches }) => [leftOut, patches]);
    expect(counts).toEqual([
      [4, 10],
      [4, 10],
      [0, 10],
    ]);
    expect((await engine.learnNormals(dark)).facts.pictures[0]).not.toHaveProperty('leftOut');
    const path = toy.at('counted');
    await bank.save(path);
    expect((await engine.openNormals(path)).facts.pictures).toEqual(bank.facts.pictures);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(String.raw`\"leftOut\":4`, String.raw`\"leftOut\":5`));
    expect(await codeOf(engine.openNormals(path)), 'a file that says another count').toBe('E_NORMALS');
  });

  it('has every result say how many patches were left out, and a warning where none were', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(dark, { bankForeground: true });
    const results = await collect(engine.scoreMany([dark[0]!, bright], { normals: bank }));
    expect(results).toMatchObject([{ backgroundPatches: 4 }, { backgroundPatches: 0 }]);
    const said = results.map((one) => ('error' in one ? [] : (one.warnings ?? [])));
    const ofBackground = said.map((all) => all.filter(({ kind }) => kind === 'no-background'));
    expect(ofBackground).toEqual([
      [],
      [{ kind: 'no-background', message: expect.stringContaining('is compared whole') }],
    ]);
    expect(said[1]!.length, 'what was odd before is said too').toBe(2);
    const whole = await engine.learnNormals(dark);
    const plain = await engine.score(bright, { normals: whole });
    expect(plain).not.toHaveProperty('backgroundPatches');
    expect(plain.warnings!.map(({ kind }) => kind)).toEqual(['constant']);
  });

  it('says the same of pictures that banks remember', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(dark, { bankForeground: true });
    const remembered = async (picture: ReturnType<typeof pixels>) =>
      engine.banks.scoreRemembered(await engine.learnNormals([picture]), bank, {});
    expect(await remembered(dark[0]!)).toMatchObject({ backgroundPatches: 4 });
    expect(await remembered(bright)).toMatchObject({ backgroundPatches: 0, warnings: { length: 1 } });
  });

  it('is none of pictures that are scored by each other', async () => {
    const { engine } = await toy.open();
    const asked = engine.scoreMutual(dark, { learning: { bankForeground: true } });
    expect(await codeOf(collect(asked))).toBe('E_USAGE');
  });
});
