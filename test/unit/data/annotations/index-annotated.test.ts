/** L3: annotation files become masks and an index. */
import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAnnotations } from '../../../../src/data/annotations/read-annotations.js';
import type { DataItem } from '../../../../src/data/data-set.js';
import { indexAnnotated } from '../../../../src/data/index-annotated.js';
import { labelMask } from '../../../../src/data/label-mask.js';
import { PictureTree } from '../../../../src/data/layouts/picture-tree.js';
import { openDataSet } from '../../../../src/data/open-data-set.js';
import { codeOf } from '../../awaiting.js';
import { greyPng, makeRoot, makeTree } from '../tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

const [width, height] = [20, 16];
const picture = () => greyPng(90, width, height);
const index = (at: string, more = {}) =>
  indexAnnotated(root, join(root, at), { layout: 'auto', overwrite: false, ...more });

/** Anomalous pixels of a mask, and the box around them. */
async function marked(path: string) {
  const { data } = await labelMask(join(root, path));
  const at = [...data.keys()].filter((pixel) => data[pixel]! > 0);
  const xs = at.map((pixel) => pixel % width);
  const ys = at.map((pixel) => Math.floor(pixel / width));
  return [at.length, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

const labelme = (shapes: object[], more = {}) =>
  JSON.stringify({
    version: '5',
    shapes,
    imagePath: '1.png',
    imageHeight: height,
    imageWidth: width,
    ...more,
  });
const square = (left: number, top: number, side: number) => [
  [left, top],
  [left + side, top],
  [left + side, top + side],
  [left, top + side],
];

it('C9: two pictures of one stem keep a mask each', async () => {
  await makeTree(root, {
    'a/1.png': await picture(),
    'a/1.bmp.png': await picture(),
    'a/1.webp': await sharp(await picture())
      .webp({ lossless: true })
      .toBuffer(),
  });
  const shapes = (name: string, side: number) =>
    labelme([{ label: 'pit', points: square(2, 3, side), shape_type: 'polygon' }], { imagePath: name });
  await makeTree(root, {
    'a/x.json': shapes('1.png', 2),
    'a/y.json': shapes('1.webp', 4),
    'a/z.json': shapes('1.bmp.png', 6),
  });
  const { file } = await index('a');
  const { test } = JSON.parse(await readFile(file, 'utf8'));
  const entries = Object.values(test).flat() as { img_path: string; mask_path: string }[];
  expect(new Set(entries.map(({ mask_path }) => mask_path)).size).toBe(3);
  const areas = entries.map(async ({ img_path, mask_path }) => [img_path, (await marked(mask_path))[0]]);
  expect(await Promise.all(areas)).toEqual([
    ['a/1.bmp.png', 36],
    ['a/1.png', 4],
    ['a/1.webp', 16],
  ]);
});

describe('what has no area', () => {
  const coco = (segmentation: unknown, more: object = {}) =>
    JSON.stringify({
      images: [{ id: 1, file_name: '1.png', width, height }],
      annotations: segmentation === undefined ? [] : [{ id: 1, image_id: 1, segmentation, ...more }],
      categories: [],
    });
  const entriesOf = async (at: string) => {
    const { sets } = await index(at);
    return [
      sets.test.items.map(({ isAnomalous, maskPath }) => [isAnomalous, maskPath]),
      sets.test.warnings.join(),
    ];
  };

  it.each([
    ['a point of labelme', '1.json', labelme([{ label: 'pit', points: [[2, 2]], shape_type: 'point' }])],
    ['runs of COCO written as an outline', 'x.json', coco([[0, 20, 30]])],
    ['an outline of two points', 'x.json', coco([[1, 1, 5, 5]])],
  ])('%s: the picture is anomalous, without a mask, and it is said', async (_, name, text) => {
    await makeTree(root, { '1.png': await picture(), [name]: text });
    const [items, warnings] = await entriesOf(name === '1.json' ? '.' : name);
    expect(items).toEqual([[true, null]]);
    expect(warnings).toMatch(/have no area/);
  });

  it('nothing drawn at all is said', async () => {
    await makeTree(root, { '1.png': await picture(), 'x.json': coco(undefined) });
    expect(await entriesOf('x.json')).toEqual([
      [[false, null]],
      expect.stringMatching(/nothing is drawn on any of the 1/),
    ]);
  });
});

it('annotated pictures may be of any kind that is read', async () => {
  const shapes = (name: string) =>
    labelme([{ label: 'pit', points: square(2, 3, 2), shape_type: 'polygon' }], { imagePath: name });
  const pgm = Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), Buffer.alloc(width * height, 90)]);
  await makeTree(root, { 'a/1.pgm': pgm, 'a/1.json': shapes('1.pgm') });
  await index('a');
  expect((await marked('masks/a/1_mask.png'))[0]).toBe(4);
});

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
  const outline = '0 0.1 0.25 0.3 0.25 0.3 0.5 0.1 0.5\n';
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

it('more files than a call has arguments are listed', async () => {
  const names = Array.from({ length: 200_000 }, (_, at) => ({
    name: `${at}.txt`,
    kind: 'file' as const,
    isLink: false,
  }));
  const entries = vi.spyOn(PictureTree.prototype, 'entries');
  entries.mockImplementation(async (path = '') =>
    path === '' ? [{ name: 'a', kind: 'folder', isLink: false }] : names,
  );
  // Of these files none is there.
  expect(await codeOf(readAnnotations(root))).toBe('E_INPUT_NOT_FOUND');
});

describe('a second time, with force', () => {
  const again = () => index('.', { overwrite: true });
  const rows = ({ sets }: Awaited<ReturnType<typeof index>>) =>
    sets.test.items.map(({ imagePath, isAnomalous, maskPath }) => [imagePath, isAnomalous, maskPath]);
  const one = (name: string) => labelme([{ label: 'pit', points: square(2, 3, 4) }], { imagePath: name });

  it('a picture whose shapes were taken away has no mask, and the masks of others stay', async () => {
    await makeTree(root, {
      'good/0.png': await picture(),
      'bad/1.png': await picture(),
      'bad/1.json': one('1.png'),
      'bad/2.png': await picture(),
      'bad/2.json': one('2.png'),
      'bad/3.png': await picture(),
      'masks/bad/3_mask.png': await greyPng(0, width, height, { value: 1, pixels: 3 }),
    });
    await again();
    await makeTree(root, { 'bad/1.json': labelme([]) });
    const made = await again();
    expect(rows(made)).toEqual([
      ['bad/1.png', true, null],
      ['bad/2.png', true, 'masks/bad/2_mask.png'],
      ['bad/3.png', true, 'masks/bad/3_mask.png'],
      ['good/0.png', false, null],
    ]);
    expect(made.sets.test.warnings).toEqual([
      expect.stringMatching(/^1 pictures have nothing drawn on them, .* bad\/1\.png$/),
      expect.stringMatching(/^1 pictures are named by no annotation, .* bad\/3\.png$/),
    ]);
  });

  it('masks that were drawn by hand stay with pictures that no label of YOLO names', async () => {
    const mask = await greyPng(0, width, height, { value: 1, pixels: 3 });
    await makeTree(root, {
      'good/0.png': await picture(),
      'bad/1.png': await picture(),
      'bad/2.png': await picture(),
      'labels/2.txt': '0 0.5 0.5 0.2 0.25\n',
      'masks/1_mask.png': mask,
    });
    const made = await index('labels', { overwrite: true });
    expect(rows(made)).toEqual([
      ['bad/1.png', true, 'masks/1_mask.png'],
      ['bad/2.png', true, 'masks/bad/2_mask.png'],
      ['good/0.png', false, null],
    ]);
    expect(made.sets.test.warnings).toContainEqual(
      expect.stringMatching(/^1 pictures are named by no annotation, .* bad\/1\.png$/),
    );
  });

  it('the masks of the first do not tell that all pictures of their folder are anomalous', async () => {
    await makeTree(root, {
      'a/1.png': await picture(),
      'a/1.json': one('1.png'),
      'a/2.png': await picture(),
      'a/2.json': labelme([], { imagePath: '2.png' }),
    });
    const first = rows(await again());
    expect(first).toEqual([
      ['a/1.png', true, 'masks/a/1_mask.png'],
      ['a/2.png', false, null],
    ]);
    expect(rows(await again())).toEqual(first);
  });
});

it('names of folders that label nothing here are said', async () => {
  await makeTree(root, { '1.png': await picture(), '1.json': labelme([]) });
  const { sets } = await index('.', { normalFolder: ['reference'] });
  expect(sets.test.warnings.join()).toMatch(/--normal-folder reference changes nothing/);
});

describe('files among annotations that are none', () => {
  it('are passed over with a word where they cannot be read', async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '1.json': labelme([{ label: 'pit', points: square(2, 3, 4) }]),
      'README.txt': Buffer.from('gr\xf6\xdfe', 'latin1'),
      'table.csv': 'a,b\n"1,2\n',
      'cut.json': '{"shapes": [',
    });
    const { sets } = await index('.');
    expect(sets.test.items.map(({ maskPath }) => maskPath)).toEqual(['masks/1_mask.png']);
    expect(sets.test.warnings).toEqual([expect.stringMatching(/^3 files could not be read .*README\.txt/)]);
  });

  it('are refused where a table may name pictures that would be normal', async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '2.png': await picture(),
      'train.csv': 'ImageId,ClassId,EncodedPixels\n1.png,3,"1 2"\n',
      'more.csv': 'ImageId,ClassId,EncodedPixels\n2.png,3,"1 2\n',
    });
    await expect(index('.')).rejects.toMatchObject({
      code: 'E_DATA_META',
      message: expect.stringContaining('more.csv'),
      hint: expect.stringContaining('--annotations FILE'),
    });
    expect((await index('train.csv')).sets.test.items.map(({ kind }) => kind)).toEqual(['class 3', 'good']);
  });

  it('and told with their fault where there is nothing else', async () => {
    await makeTree(root, { '1.png': await picture(), 'cut.json': '{"shapes": [' });
    await expect(index('.')).rejects.toMatchObject({
      code: 'E_DATA_ANNOTATIONS',
      message: expect.stringContaining('cut.json: not JSON'),
    });
  });
});

describe('masks through a link', () => {
  beforeEach(async () => {
    await makeTree(root, {
      'set/a/1.png': await picture(),
      'set/a/1.json': labelme([{ label: 'pit', points: square(2, 3, 4) }]),
      'elsewhere/kept.bin': '',
    });
    await symlink('../elsewhere', join(root, 'set/masks'));
  });
  const made = (more = {}) =>
    indexAnnotated(join(root, 'set'), join(root, 'set'), { layout: 'auto', overwrite: true, ...more });

  it('are not written out of the data set', async () => {
    await expect(made()).rejects.toMatchObject({
      code: 'E_DATA_PATH',
      message: expect.stringContaining('masks is a symbolic link to ../elsewhere'),
      hint: expect.stringContaining('--follow-links'),
    });
    expect(await readdir(join(root, 'elsewhere'))).toEqual(['kept.bin']);
  });

  it('are, where links are trusted', async () => {
    expect((await made({ followLinks: true })).masks).toBe(1);
    expect(await readdir(join(root, 'elsewhere'))).toEqual(['a', 'kept.bin']);
  });
});

describe('a picture that nobody annotated', () => {
  const rows = ({ items, warnings }: { items: readonly DataItem[]; warnings: readonly string[] }) => ({
    items: items.map(({ imagePath, kind }) => [imagePath, kind]),
    warnings,
  });
  const outline = '0 0.1 0.25 0.3 0.25 0.3 0.5 0.1 0.5\n';

  it('YOLO: shows what was drawn when it lies among the labels, and is none of the data, whatever its name', async () => {
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

  it('YOLO: a text never marks the picture of another split that has its name', async () => {
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

  it('Severstal: pictures of the competition’s test are not normal because no row names them', async () => {
    await makeTree(root, {
      'train.csv': 'ImageId,ClassId,EncodedPixels\n1.png,3,"1 2 17 2"\n',
      'train_images/1.png': await picture(),
      'train_images/2.png': await picture(),
      'test_images/3.png': await picture(),
    });
    const made = await index('train.csv');
    expect(rows(made.sets.test)).toEqual({
      items: [
        ['train_images/1.png', 'class 3'],
        ['train_images/2.png', 'good'],
      ],
      warnings: [
        expect.stringMatching(/^1 pictures without annotations .* test_images\/3.png: nothing says/),
      ],
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

describe('whatever the format', () => {
  beforeEach(async () => {
    await makeTree(root, {
      '1.png': await picture(),
      '1.json': labelme([{ label: 'pit', points: square(2, 3, 4) }]),
    });
  });

  it('masks and index are written once, and again only with force', async () => {
    await index('.');
    const before = await readFile(join(root, 'masks/1_mask.png'));
    expect(await codeOf(index('.'))).toBe('E_EXISTS');
    await rm(join(root, 'meta.json'));
    await expect(index('.')).rejects.toMatchObject({
      code: 'E_EXISTS',
      hint: expect.stringContaining('overwrite the masks'),
    });
    expect(await codeOf(index('.', { overwrite: true }))).toBe('no error');
    expect((await readFile(join(root, 'masks/1_mask.png'))).equals(before)).toBe(true);
  });

  it.each([
    ['x.json', '{"shapes": [{"points": "no"}]}'],
    ['x.json', '[1, 2'],
    ['x.json', '{"images": [], "annotations": [{}]}'],
    ['x.csv', 'a,b\n1,2\n'],
    ['x.txt', 'a letter to nobody\n'],
    ['x.json', '{"shapes": [], "imagePath": "nobody.png"}'],
  ])('%s of %j is refused with a code', async (name, text) => {
    await makeTree(root, { [name]: text });
    expect(await codeOf(index(name))).toBe('E_DATA_ANNOTATIONS');
  });

  it('paths that lead out of the root name no picture', async () => {
    await makeTree(root, {
      'set/2.png': await picture(),
      'set/x.json': labelme([], { imagePath: '../1.png' }),
    });
    const made = indexAnnotated(join(root, 'set'), join(root, 'set/x.json'), {
      layout: 'auto',
      overwrite: false,
    });
    expect(await codeOf(made)).toBe('E_DATA_ANNOTATIONS');
  });
});
