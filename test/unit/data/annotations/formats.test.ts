/** L3: what labelme, COCO, Severstal and DAGM 2007 write becomes masks and an index. */
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { labelMask } from '../../../../src/data/label-mask.js';
import { openDataSet } from '../../../../src/data/open-data-set.js';
import { codeOf } from '../../awaiting.js';
import { greyPng, makeTree } from '../tree.js';
import {
  height,
  index,
  labelme,
  marked,
  picture,
  root,
  rootOfEachTest,
  square,
  width,
} from './annotated-tree.js';

rootOfEachTest();

describe('L3: labelme', () => {
  it('beside pictures in folders that say what is normal adds their masks', async () => {
    const bitmap = await greyPng(0, 8, 8, { value: 1, pixels: 8 });
    await makeTree(root, {
      'good/0.png': await picture(),
      'bad/1.png': await picture(),
      'bad/1.json': labelme([
        { label: 'pit', points: square(2, 3, 4), shape_type: 'polygon' },
        {
          label: 'pit',
          points: [
            [10, 3],
            [13, 5],
          ],
          shape_type: 'rectangle',
        },
        { label: 'pit', points: [[3, 12]], shape_type: 'point' },
      ]),
      'bad/2.png': await picture(),
      'bad/2.json': labelme([
        {
          label: 'pit',
          points: [
            [5, 6],
            [12, 13],
          ],
          shape_type: 'mask',
          mask: bitmap.toString('base64'),
        },
      ]).replace('1.png', '2.png'),
    });
    const made = await index('.');
    expect(made.sets.test.warnings).toEqual([
      expect.stringContaining('1 shapes have no area and are not drawn (point)'),
    ]);
    const { items } = await openDataSet(root);
    expect(items.map(({ imagePath, maskPath }) => [imagePath, maskPath])).toEqual([
      ['bad/1.png', 'masks/bad/1_mask.png'],
      ['bad/2.png', 'masks/bad/2_mask.png'],
      ['good/0.png', null],
    ]);
    expect(await marked('masks/bad/1_mask.png')).toEqual([16 + 6, 2, 3, 12, 6]);
    expect(await marked('masks/bad/2_mask.png')).toEqual([8, 5, 6, 12, 6]);
  });

  it('a circle is as large as its radius says', async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '1.json': labelme([
        {
          label: 'pit',
          points: [
            [10, 8],
            [10, 13],
          ],
          shape_type: 'circle',
        },
      ]),
    });
    await index('.');
    const [pixels, ...box] = await marked('masks/1_mask.png');
    expect(Math.abs(pixels! - Math.PI * 25)).toBeLessThan(4);
    expect(box).toEqual([5, 3, 14, 12]);
  });

  it.each(['rectangle', 'rotation', 'oriented_rectangle'])(
    'a %s of four corners is all of it',
    async (shape_type) => {
      await makeTree(root, {
        '1.png': await picture(),
        '1.json': labelme([{ label: 'pit', points: square(2, 3, 4), shape_type }]),
      });
      expect((await index('.')).sets.test.warnings).toEqual([]);
      expect(await marked('masks/1_mask.png')).toEqual([16, 2, 3, 5, 6]);
    },
  );

  it('what marks no pixel is said', async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '1.json': labelme([{ label: 'pit', points: square(40, 3, 4) }]),
    });
    expect((await index('.')).sets.test.warnings).toEqual([
      expect.stringMatching(/^1 masks mark no pixel, .* that of 1\.png$/),
    ]);
  });

  it('of another size than its picture is refused, whatever is written then', async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '1.json': labelme([{ label: 'pit', points: square(2, 3, 4) }], { imageWidth: 40 }),
    });
    expect(await codeOf(index('.'))).toBe('E_DATA_ANNOTATIONS');
  });

  it('of a picture that EXIF turns is drawn as the tool showed it', async () => {
    const jpeg = await sharp(await picture())
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    await makeTree(root, {
      '1.jpg': jpeg,
      '1.json': labelme([{ label: 'pit', points: square(1, 1, 3) }], {
        imagePath: '1.jpg',
        imageWidth: height,
        imageHeight: width,
      }),
    });
    await index('.');
    expect(await labelMask(join(root, 'masks/1_mask.png'))).toMatchObject({ width: height, height: width });
  });
});

describe('L3: COCO', () => {
  const coco = {
    images: [
      { id: 1, file_name: 'a.png', width, height },
      { id: 2, file_name: 'b.png', width, height },
      { id: 3, file_name: 'c.png', width, height },
      { id: 4, file_name: 'gone.png', width, height },
    ],
    annotations: [
      { id: 1, image_id: 1, category_id: 7, segmentation: [square(2, 3, 4).flat()], bbox: [2, 3, 4, 4] },
      { id: 2, image_id: 1, category_id: 8, segmentation: { counts: [0, 16, 304], size: [height, width] } },
      { id: 3, image_id: 2, category_id: 7, segmentation: [], bbox: [5, 5, 2, 3] },
    ],
    categories: [
      { id: 7, name: 'pit' },
      { id: 8, name: 'edge' },
    ],
  };

  it('draws outlines and runs; what has nothing drawn is normal, what is not named is left out', async () => {
    const pictures = { 'images/a.png': '', 'images/b.png': '', 'images/c.png': '', 'images/extra.png': '' };
    for (const name of Object.keys(pictures)) await makeTree(root, { [name]: await picture() });
    await makeTree(root, { 'annotations/all.json': JSON.stringify(coco) });
    const made = await index('annotations/all.json');
    expect(made.sets.test.warnings).toEqual([
      expect.stringContaining('1 pictures without annotations are left out, for instance images/extra.png'),
      expect.stringContaining('1 annotations are boxes'),
      expect.stringContaining('1 annotations name no picture'),
    ]);
    const { items, layout } = await openDataSet(root);
    expect([layout, ...items.map((item) => [item.imagePath, item.kind, item.isAnomalous])]).toEqual([
      'meta.json',
      ['images/a.png', 'several', true],
      ['images/b.png', 'pit', true],
      ['images/c.png', 'good', false],
    ]);
    // The first column, and a square.
    expect(await marked('masks/images/a_mask.png')).toEqual([16 + 16, 0, 0, 5, 15]);
    expect(await marked('masks/images/b_mask.png')).toEqual([6, 5, 5, 6, 7]);
  });

  it('whose runs are of another size is refused with the picture', async () => {
    await makeTree(root, {
      'a.png': await picture(),
      'x.json': JSON.stringify({
        images: [{ id: 1, file_name: 'a.png' }],
        annotations: [{ image_id: 1, segmentation: { counts: [0, 4], size: [2, 2] } }],
      }),
    });
    await expect(index('x.json')).rejects.toMatchObject({
      code: 'E_DATA_ANNOTATIONS',
      message: expect.stringContaining('a.png: runs of a picture of 2 x 2'),
    });
  });
});

it.each([
  ['ImageId,ClassId,EncodedPixels\n1.png,3,"1 2 17 2"\n2.png,1,1 1\n2.png,4,320 1\n'],
  ['ImageId_ClassId;EncodedPixels\n1.png_3;1 2 17 2\n1.png_4;\n2.png_1;1 1\n2.png_4;320 1\n3.png_1;\n'],
])('L3: Severstal: %j', async (table) => {
  await makeTree(root, { 'train.csv': table });
  for (const name of ['1.png', '2.png', '3.png'])
    await makeTree(root, { [`train_images/${name}`]: await picture() });
  const made = await index('train.csv');
  expect(made.sets.test.items.map(({ imagePath, kind }) => [imagePath, kind])).toEqual([
    ['train_images/1.png', 'class 3'],
    ['train_images/2.png', 'several'],
    ['train_images/3.png', 'good'],
  ]);
  expect(await marked('masks/train_images/1_mask.png')).toEqual([4, 0, 0, 1, 1]);
  expect(await marked('masks/train_images/2_mask.png')).toEqual([2, 0, 0, 19, 15]);
});

it('Severstal: pictures of the competition’s test are not normal because no row names them', async () => {
  await makeTree(root, {
    'train.csv': 'ImageId,ClassId,EncodedPixels\n1.png,3,"1 2 17 2"\n',
    'train_images/1.png': await picture(),
    'train_images/2.png': await picture(),
    'test_images/3.png': await picture(),
  });
  const made = await index('train.csv');
  const { items, warnings } = made.sets.test;
  expect(items.map(({ imagePath, kind }) => [imagePath, kind])).toEqual([
    ['train_images/1.png', 'class 3'],
    ['train_images/2.png', 'good'],
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(/^1 pictures without annotations .* test_images\/3.png: nothing says/),
  ]);
});

it('DAGM 2007: ellipses become masks of the pictures of their folder', async () => {
  await makeTree(root, { 'Class1_def/labels.txt': '1\t6.0\t3.0\t0.0\t10.0\t8.0\n' });
  for (const name of ['Class1/1.png', 'Class1_def/1.png']) await makeTree(root, { [name]: await picture() });
  await index('.');
  const { items } = await openDataSet(root);
  expect(items.map(({ imagePath, maskPath }) => [imagePath, maskPath])).toEqual([
    ['Class1/1.png', null],
    ['Class1_def/1.png', 'masks/Class1_def/1_mask.png'],
  ]);
  const [pixels, ...box] = await marked('masks/Class1_def/1_mask.png');
  expect(Math.abs(pixels! - Math.PI * 18)).toBeLessThan(4);
  expect(box).toEqual([4, 5, 15, 10]);
});
