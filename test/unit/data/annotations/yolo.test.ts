/** L3: labels of YOLO become masks and an index. */
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAnnotations } from '../../../../src/data/annotations/read-annotations.js';
import type { DataItem } from '../../../../src/data/data-set.js';
import { greyPng, makeTree } from '../tree.js';
import { height, index, marked, outline, picture, root, rootOfEachTest, width } from './annotated-tree.js';

rootOfEachTest();

it('L3: YOLO: outlines as shares of the sides, names of classes, a split, and what has no text is normal', async () => {
  await makeTree(root, {
    'data.yaml': 'path: .\nnames:\n  0: pit\n  1: "long dent"\n',
    'images/train/1.png': await picture(),
    'images/val/1.png': await picture(),
    'images/val/2.png': await picture(),
    'labels/train/1.txt': '1 0.1 0.25 0.3 0.25 0.3 0.5 0.1 0.5\n',
    'labels/val/1.txt': '0 0.5 0.5 0.2 0.25\n',
  });
  const made = await index('labels');
  const rows = ({ items }: (typeof made.sets)['test']) =>
    items.map(({ imagePath, kind }) => [imagePath, kind]);
  expect(rows(made.sets.train)).toEqual([['images/train/1.png', 'long dent']]);
  expect(rows(made.sets.test)).toEqual([
    ['images/val/1.png', 'pit'],
    ['images/val/2.png', 'good'],
  ]);
  expect(await marked('masks/images/train/1_mask.png')).toEqual([16, 2, 4, 5, 7]);
  expect(await marked('masks/images/val/1_mask.png')).toEqual([16, 8, 6, 11, 9]);
});

describe('files of YOLO', () => {
  const kinds = ({ sets }: Awaited<ReturnType<typeof index>>) =>
    sets.test.items.map(({ imagePath, kind }) => [imagePath, kind]);

  it('are labels whatever they are called, and lists beside them are none', async () => {
    const names = ['names', 'test_001', 'train', 'valve_3'];
    for (const name of [...names, 'z'])
      await makeTree(root, { [`images/${name}.png`]: await picture(), [`labels/${name}.txt`]: outline });
    await makeTree(root, {
      'labels/classes.txt': 'pit\ndent\n',
      'labels/README.txt': 'to whom it concerns\n',
      'labels/z.txt': '0 0.5 half\n',
    });
    const made = await index('labels');
    expect(kinds(made)).toEqual(names.map((name) => [`images/${name}.png`, 'pit']));
    expect(made.sets.test.warnings).toEqual([
      expect.stringMatching(/^1 pictures have labels that cannot be read, and are left out, .*z\.png$/),
      expect.stringMatching(/^1 text files are no labels of YOLO .*labels\/z\.txt$/),
    ]);
  });

  it('are not those of elsewhere that have the name of a picture, such as captions', async () => {
    await makeTree(root, {
      'images/1.png': await picture(),
      'images/2.png': await picture(),
      'images/2.txt': 'a part',
      'captions/2.txt': 'a part',
      'labels/1.txt': outline,
    });
    expect(kinds(await index('.'))).toEqual([
      ['images/1.png', 'class 0'],
      ['images/2.png', 'good'],
    ]);
  });

  it.each([
    ['cut off', '0 0.5 0.5'],
    ['with a name for the class', 'scratch 0.5 0.5 0.2 0.2\n'],
    ['of zero bytes', '\0\0\0\0'],
    ['in another encoding', Buffer.from('0 0.5 0.5 0.2 0.2 \xb5', 'latin1')],
  ])('that cannot be read never make their picture normal: %s', async (_, text) => {
    await makeTree(root, {
      'images/1.png': await picture(),
      'images/7.png': await picture(),
      'images/8.png': await picture(),
      'labels/1.txt': outline,
      'labels/7.txt': text,
    });
    const made = await index('labels');
    expect(kinds(made)).toEqual([
      ['images/1.png', 'class 0'],
      ['images/8.png', 'good'],
    ]);
    expect(made.sets.test.warnings.join()).toMatch(/^1 pictures have labels that cannot be read.* images\/7/);
  });

  it('that cannot be read leave the label of the folder and the mask that lies there', async () => {
    await makeTree(root, {
      'good/0.png': await picture(),
      'bad/1.png': await picture(),
      'bad/2.png': await picture(),
      'labels/1.txt': outline,
      'labels/2.txt': '0 0.5 0.5',
      'masks/bad/2_mask.png': await greyPng(0, width, height, { value: 1, pixels: 3 }),
    });
    const { sets } = await index('labels');
    expect(sets.test.items.map(({ imagePath, maskPath }) => [imagePath, maskPath])).toEqual([
      ['bad/1.png', 'masks/bad/1_mask.png'],
      ['bad/2.png', 'masks/bad/2_mask.png'],
      ['good/0.png', null],
    ]);
    expect(sets.test.warnings.join()).toMatch(/1 pictures have labels that cannot be read, and get no masks/);
  });

  it('with a confidence behind each box are boxes, no ellipses', async () => {
    await makeTree(root, {
      'images/0.png': await picture(),
      'images/7.png': await picture(),
      'labels/7.txt': '0 0.5 0.5 0.2 0.25 0.93\n0 0.5 0.5 0.1 1.0001 1\n',
    });
    const made = await index('labels');
    expect(kinds(made)).toEqual([
      ['images/0.png', 'good'],
      ['images/7.png', 'class 0'],
    ]);
    expect((await marked('masks/images/7_mask.png')).slice(1)).toEqual([8, 0, 11, 15]);
  });

  it('whose folders link to each other are read once', async () => {
    await makeTree(root, {
      'images/1.png': await picture(),
      'labels/a/1.txt': outline,
      'labels/b/x.txt': '',
    });
    for (const [from, to] of ['ab', 'ba']) await symlink(`../${to}`, join(root, `labels/${from}/${to}`));
    expect((await readAnnotations(join(root, 'labels'))).pictures.map(({ name }) => name)).toEqual([
      'a/1',
      'b/x',
    ]);
  });

  it('with a class of a name that no index holds are refused before anything is written', async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '1.txt': outline,
      'classes.txt': 'n'.repeat(300),
    });
    await expect(index('.')).rejects.toMatchObject({
      code: 'E_DATA_META',
      message: expect.stringContaining('specie_name'),
    });
    // Nor any mask, which may be the work of hours.
    expect((await readdir(root)).sort()).toEqual(['1.png', '1.txt', 'classes.txt']);
  });
});

describe('a picture that nobody annotated', () => {
  const rows = ({ items, warnings }: { items: readonly DataItem[]; warnings: readonly string[] }) => ({
    items: items.map(({ imagePath, kind }) => [imagePath, kind]),
    warnings,
  });

  it('shows what was drawn when it lies among the labels, and is none of the data, whatever its name', async () => {
    await makeTree(root, {
      'images/1.png': await picture(),
      'images/2.png': await picture(),
      'labels/1.txt': outline,
      // As drawn by tools that leave a look at their work there.
      'labels/1.png': await picture(),
      'labels/preview.png': await picture(),
      'runs/batch0.png': await picture(),
    });
    const made = await index('labels');
    expect(rows(made.sets.test)).toEqual({
      items: [
        ['images/1.png', 'class 0'],
        ['images/2.png', 'good'],
      ],
      warnings: [
        '3 pictures without annotations are left out, for instance labels/1.png: nothing says that they are normal',
      ],
    });
    expect(await marked('masks/images/1_mask.png')).toEqual([16, 2, 4, 5, 7]);
  });

  it('a text never marks the picture of another split that has its name', async () => {
    await makeTree(root, {
      'train/images/1.png': await picture(),
      'train/labels/1.txt': outline,
      'valid/images/1.png': await picture(),
      'valid/images/2.png': await picture(),
      'valid/labels/2.txt': '',
      'train/labels/9.txt': outline,
      'valid/images/9.png': await picture(),
    });
    const made = await index('.');
    expect(rows(made.sets.train).items).toEqual([['train/images/1.png', 'class 0']]);
    expect(rows(made.sets.test)).toEqual({
      items: [
        ['valid/images/1.png', 'good'],
        ['valid/images/2.png', 'good'],
        ['valid/images/9.png', 'good'],
      ],
      warnings: ['1 annotations name no picture below the root, for instance train/labels/9'],
    });
  });
});
