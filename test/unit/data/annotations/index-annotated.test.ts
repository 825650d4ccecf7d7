/** L3: annotation files become masks and an index, whatever wrote them. */
import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readAnnotations } from '../../../../src/data/annotations/read-annotations.js';
import { indexAnnotated } from '../../../../src/data/index-annotated.js';
import { PictureTree } from '../../../../src/data/layouts/picture-tree.js';
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
