import { copyFile, mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { bankOfPictures } from '../../../src/scoring/bank-of-pictures.js';
import { useToyModel } from '../engine/toy-engine.js';
import { writePicture } from '../engine/toy-model.js';

const toy = useToyModel();

it('a bank that is found in the cache names the pictures of the folder that was asked for', async () => {
  const { engine, addon } = await toy.open();
  await mkdir(toy.at('first'));
  await mkdir(toy.at('later'));
  for (const [name, later, grey] of [
    ['a.png', 'x.png', 10],
    ['b.png', 'y.png', 90],
  ] as const) {
    await writePicture(toy.at('first', name), grey);
    await copyFile(toy.at('first', name), toy.at('later', later));
  }
  const bankOf = async (folder: string) => {
    const inputs = [toy.at(folder)];
    const given = { inputs, followLinks: false, signal: new AbortController().signal };
    return bankOfPictures(engine, {}, given, { CRANE_CACHE: toy.at('cache') });
  };
  const first = await bankOf('first');
  const learned = addon.log.prompts.filter(({ material }) => material.normals).length;
  const later = await bankOf('later');
  expect(addon.log.prompts.filter(({ material }) => material.normals)).toHaveLength(learned);
  expect(later.kept).toMatchObject({ isNew: false });
  expect(later.bank.identity).toBe(first.bank.identity);
  expect(later.bank.facts.pictures).toEqual([
    { name: toy.at('later', 'x.png'), sha256: first.bank.facts.pictures[0]!.sha256 },
    { name: toy.at('later', 'y.png'), sha256: first.bank.facts.pictures[1]!.sha256 },
  ]);
});
