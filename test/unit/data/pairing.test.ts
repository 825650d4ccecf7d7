import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataSet } from '../../../src/data/open-data-set.js';
import { MaskNames } from '../../../src/scan/mask-names.js';
import { makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function pairsOf(files: readonly string[]) {
  await makeTree(root, files);
  const { items, warnings } = await openDataSet(root);
  const pairs = items.filter((item) => item.isAnomalous).map((item) => [item.imagePath, item.maskPath]);
  return { pairs: Object.fromEntries(pairs) as Record<string, string | null>, items, warnings };
}

describe('pictures and masks pair by name', () => {
  it('where sorting puts them in different orders', async () => {
    // Sorted: a-1, a, a_2 beside a-1_mask, a_2_mask, a_mask.
    const { pairs, warnings } = await pairsOf([
      'good/0.png',
      ...['a.png', 'a-1.png', 'a_2.png'].map((name) => `bad/${name}`),
      ...['a_mask.png', 'a-1_mask.png', 'a_2_mask.png'].map((name) => `masks/bad/${name}`),
    ]);
    expect(pairs).toEqual({
      'bad/a.png': 'masks/bad/a_mask.png',
      'bad/a-1.png': 'masks/bad/a-1_mask.png',
      'bad/a_2.png': 'masks/bad/a_2_mask.png',
    });
    expect(warnings).toEqual([]);
  });

  it('whatever form accents are written in, which nobody sees', async () => {
    const [pieces, one] = ['ta\u0308st', 't\u00e4st'];
    const { pairs, warnings } = await pairsOf([
      'good/0.png',
      `bad/${pieces}.png`,
      `bad/2${one}.png`,
      `masks/${one}_mask.png`,
      `masks/2${pieces}_mask.png`,
    ]);
    expect(pairs).toEqual({
      [`bad/${pieces}.png`]: `masks/${one}_mask.png`,
      [`bad/2${one}.png`]: `masks/2${pieces}_mask.png`,
    });
    expect(warnings).toEqual([]);
  });

  it('of two pictures whose names look alike none takes the mask', async () => {
    const { pairs, warnings } = await pairsOf([
      'good/0.png',
      'bad/ta\u0308st.png',
      'bad/t\u00e4st.png',
      'masks/t\u00e4st_mask.png',
    ]);
    expect(Object.values(pairs)).toEqual([null, null]);
    expect(warnings).toHaveLength(1);
  });

  it('and a folder of normal pictures is known in Korean as a Mac writes it', async () => {
    const { items } = await pairsOf([`${'정상'.normalize('NFD')}/0.png`, `${'불량'.normalize('NFD')}/1.png`]);
    expect(items.map(({ isAnomalous }) => isAnomalous).sort()).toEqual([false, true]);
  });

  it('where one mask is missing, no later picture gets a wrong one', async () => {
    const { pairs, warnings } = await pairsOf([
      'good/9.png',
      'bad/0.png',
      'bad/1.png',
      'bad/2.png',
      'masks/0_mask.png',
      'masks/2_mask.png',
      'masks/3_mask.png',
    ]);
    expect(pairs).toEqual({
      'bad/0.png': 'masks/0_mask.png',
      'bad/1.png': null,
      'bad/2.png': 'masks/2_mask.png',
    });
    expect(warnings).toEqual(['1 anomalous pictures have no mask of their name, for instance bad/1.png']);
  });

  it('a normal and an anomalous picture of one name: the mask is the anomalous one', async () => {
    const { pairs, items } = await pairsOf(['good/000.png', 'bad/000.png', 'masks/000_mask.png']);
    expect(pairs).toEqual({ 'bad/000.png': 'masks/000_mask.png' });
    expect(items.find((item) => !item.isAnomalous)?.maskPath).toBeNull();
  });

  it('one mask for pictures of two kinds belongs to neither', async () => {
    const { pairs, warnings } = await pairsOf(['good/9.png', 'dent/0.png', 'hole/0.png', 'masks/0_mask.png']);
    expect(pairs).toEqual({ 'dent/0.png': null, 'hole/0.png': null });
    expect(warnings).toEqual([
      '2 anomalous pictures go without mask, because several masks or several pictures fit, for instance dent/0.png',
    ]);
  });

  it('two masks of one name belong to nothing', async () => {
    const { pairs, warnings } = await pairsOf([
      'good/9.png',
      'bad/0.png',
      'masks/0_mask.png',
      'masks/0_mask.bmp',
    ]);
    expect(pairs).toEqual({ 'bad/0.png': null });
    expect(warnings).toHaveLength(1);
  });

  it('folders of pictures that share their masks through a link have them each', async () => {
    await makeTree(root, ['masks/a/1_mask.png', 'masks/a/2/x.png', 'masks/a/2/y.png']);
    await symlink('a', join(root, 'masks/b'));
    const files = ['good/0.png', 'bad/a/1.png', 'bad/b/1.png', 'bad/b/2.png'];
    const { pairs, items, warnings } = await pairsOf(files);
    expect(pairs).toEqual({
      'bad/a/1.png': 'masks/a/1_mask.png',
      'bad/b/1.png': 'masks/b/1_mask.png',
      'bad/b/2.png': 'masks/b/2/x.png',
    });
    expect(items[2]!.maskPaths).toEqual(['masks/b/2/x.png', 'masks/b/2/y.png']);
    expect(warnings).toEqual([]);
  });

  it('a mask in the folder of its kind comes before one of the folder for all', async () => {
    const { pairs } = await pairsOf(['good/9.png', 'bad/0.png', 'masks/0_mask.png', 'masks/bad/0_mask.png']);
    expect(pairs).toEqual({ 'bad/0.png': 'masks/bad/0_mask.png' });
  });

  it.each([
    ['a.b.png', ['a.b_mask.png']],
    ['0.jpg', ['0.png']],
    ['x.png', ['x_mask.png', 'x_label.png', 'x.png']],
    ['y.png', ['y_label.bmp', 'y.png']],
  ])('%s finds %j first', (picture, masks) => {
    expect(new MaskNames(masks).find(picture)).toEqual({ masks: [masks[0]], isUnclear: false });
  });

  it('a longer name is no match', () => {
    expect(
      new MaskNames(['10_mask.png', '1_mask_x.png', '01.png', 'A1_mask.png']).find('1.png'),
    ).toBeUndefined();
  });
});
