/** Which picture an annotation is of: none loses its own, and none gets another's. */
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexAnnotated } from '../../../../src/data/index-annotated.js';
import { labelMask } from '../../../../src/data/label-mask.js';
import { greyPng, makeRoot, makeTree } from '../tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const [width, height] = [20, 16];
const size = { width, height };
const index = (at: string) => indexAnnotated(root, join(root, at), { layout: 'auto', overwrite: false });
const refused = (at: string) =>
  index(at).then(
    () => undefined,
    ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
  );
const areaOf = async (mask: string) =>
  (await labelMask(join(root, mask))).data.reduce((sum, value) => sum + Number(value > 0), 0);
const box = (side: number) => [2, 3, side, side];
const coco = (images: object[], annotations: object[], categories: object[] = []) =>
  JSON.stringify({ images, annotations, categories });

describe('COCO', () => {
  it('an id that stands for two pictures is refused, and nothing is written', async () => {
    const images = [
      { id: 1, file_name: 'a.png', ...size },
      { id: 1, file_name: 'b.png', ...size },
    ];
    await makeTree(root, {
      'a.png': await greyPng(90, width, height),
      'b.png': await greyPng(90, width, height),
      'x.json': coco(images, [{ image_id: 1, bbox: box(4) }]),
    });
    expect(await refused('x.json')).toMatch(/^E_DATA_ANNOTATIONS .*x\.json: images: the id 1 stands for two/);
    expect((await readdir(root)).sort()).toEqual(['a.png', 'b.png', 'x.json']);
  });

  it('a picture or a category that stands there twice alike is one', async () => {
    const image = { id: 'p', file_name: 'a.png', ...size };
    const pit = { id: 3, name: 'pit' };
    await makeTree(root, {
      'a.png': await greyPng(90, width, height),
      'x.json': coco([image, image], [{ image_id: 'p', category_id: 3, bbox: box(4) }], [pit, pit]),
    });
    const { sets } = await index('x.json');
    expect(sets.test.items.map(({ imagePath, kind }) => [imagePath, kind])).toEqual([['a.png', 'pit']]);
    expect(await areaOf('masks/a_mask.png')).toBe(16);
  });

  it('a category whose id has two names is refused', async () => {
    await makeTree(root, {
      'a.png': await greyPng(90, width, height),
      'x.json': coco(
        [{ id: 1, file_name: 'a.png' }],
        [{ image_id: 1, category_id: 3, bbox: box(4) }],
        [
          { id: 3, name: 'pit' },
          { id: 3, name: 'dent' },
        ],
      ),
    });
    expect(await refused('x.json')).toMatch(/^E_DATA_ANNOTATIONS .*categories: the id 3 stands for two/);
  });

  it('a picture that is not there gives its annotations to no other of its name', async () => {
    const images = [
      { id: 1, file_name: 'cam2/1.png', ...size },
      { id: 2, file_name: 'cam1/1.png', ...size },
    ];
    const annotations = [
      { image_id: 1, bbox: box(9) },
      { image_id: 2, bbox: box(4) },
    ];
    await makeTree(root, {
      'cam1/1.png': await greyPng(90, width, height),
      'x.json': coco(images, annotations),
    });
    const { sets } = await index('x.json');
    expect(await areaOf('masks/cam1/1_mask.png')).toBe(16);
    expect(sets.test.warnings.join()).toContain(
      '1 annotations name no picture below the root, for instance cam2/1.png',
    );
  });

  it('two that mean one picture by its name alone are refused', async () => {
    const images = [
      { id: 1, file_name: 'cam1/1.png', ...size },
      { id: 2, file_name: 'cam2/1.png', ...size },
    ];
    await makeTree(root, {
      'all/1.png': await greyPng(90, width, height),
      'x.json': coco(images, [{ image_id: 1, bbox: box(4) }]),
    });
    expect(await refused('x.json')).toMatch(
      /^E_DATA_ANNOTATIONS all\/1\.png: is named by two annotations, cam1\/1\.png and cam2\/1\.png/,
    );
  });

  it('one picture in two sizes is refused, in one size it has all that was drawn', async () => {
    const twice = (other: object) =>
      coco(
        [
          { id: 1, file_name: 'a.png', ...size },
          { id: 2, file_name: 'a.png', ...other },
        ],
        [
          { image_id: 1, bbox: [0, 0, 2, 2] },
          { image_id: 2, bbox: [4, 4, 2, 2] },
        ],
      );
    await makeTree(root, {
      'a.png': await greyPng(90, width, height),
      'x.json': twice({ width: 40, height: 32 }),
      'y.json': twice({}),
    });
    expect(await refused('x.json')).toMatch(/a\.png: annotated as 20 x 16 and as 40 x 32 pixels/);
    await index('y.json');
    expect(await areaOf('masks/a_mask.png')).toBe(8);
  });
});

it('YOLO: labels of a folder whose pictures are not there are drawn on no other', async () => {
  await makeTree(root, {
    'images/train/1.png': await greyPng(90, width, height),
    'labels/train/1.txt': '0 0.5 0.5 0.2 0.25\n',
    'labels/val/1.txt': '0 0.5 0.5 1 1\n',
  });
  const { sets } = await index('labels');
  expect(await areaOf('masks/images/train/1_mask.png')).toBe(16);
  expect(sets.test.warnings.join()).toContain('1 annotations name no picture');
});

describe('pictures in folders that a link leads to', () => {
  beforeEach(async () => {
    for (const name of ['a/1', 'a/2', 'b/1'])
      await makeTree(root, { [`real/${name}.png`]: await greyPng(90, width, height) });
    await mkdir(join(root, 'images'));
    await symlink('../real/a', join(root, 'images/train'));
    await symlink('../real/b', join(root, 'images/val'));
  });
  const masked = async (at: string) => {
    const { sets } = await index(at);
    expect(sets.test.warnings.filter((line) => line.includes('name no picture'))).toEqual([]);
    const items = [...sets.test.items, ...sets.train.items];
    return items.map(({ imagePath, maskPath }) => [imagePath, maskPath]);
  };
  const expected = [
    ['real/a/1.png', 'masks/real/a/1_mask.png'],
    ['real/a/2.png', 'masks/real/a/2_mask.png'],
    ['real/b/1.png', null],
  ];

  it('COCO: are found by a path through the link', async () => {
    const names = ['train/1', 'train/2', 'val/1'];
    const images = names.map((name, id) => ({ id, file_name: `images/${name}.png`, ...size }));
    await makeTree(root, {
      'x.json': coco(
        images,
        [0, 1].map((image_id) => ({ image_id, bbox: box(4) })),
      ),
    });
    expect(await masked('x.json')).toEqual(expected);
  });

  it('YOLO: are those of the labels beside the link', async () => {
    const line = '0 0.5 0.5 0.2 0.25\n';
    await makeTree(root, {
      'labels/train/1.txt': line,
      'labels/train/2.txt': line,
      'labels/val/1.txt': '',
    });
    expect(await masked('labels')).toEqual(expected);
  });
});
