import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { layouts, publishedSets } from '../../../src/data/layouts/registry.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import type { CraneError } from '../../../src/errors.js';
import { codeOf } from '../awaiting.js';
import { greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const mvtecFiles = (className: string) => [
  `${className}/train/good/000.png`,
  `${className}/test/good/000.png`,
  `${className}/test/hole/000.png`,
  `${className}/test/hole/001.png`,
  `${className}/ground_truth/hole/000_mask.png`,
  `${className}/ground_truth/hole/001_mask.png`,
];

const visaTable = [
  'object,split,label,image,mask',
  'candle,train,normal,candle/Data/Images/Normal/0000.JPG,',
  'candle,test,normal,candle/Data/Images/Normal/0001.JPG,',
  '"candle",test,anomaly,"candle/Data/Images/Anomaly/0,0.JPG","candle/Data/Masks/Anomaly/0,0.png"',
  '',
].join('\r\n');

interface Expected {
  layout: string;
  files: readonly string[] | Record<string, string>;
  /** class, kind, label (+ or -), picture, mask of the test split, in order */
  test: readonly string[];
  train?: number;
}

const trees: Expected[] = [
  {
    layout: 'mvtec',
    files: mvtecFiles('metal_nut'),
    test: [
      'metal_nut good - metal_nut/test/good/000.png none',
      'metal_nut hole + metal_nut/test/hole/000.png metal_nut/ground_truth/hole/000_mask.png',
      'metal_nut hole + metal_nut/test/hole/001.png metal_nut/ground_truth/hole/001_mask.png',
    ],
    train: 1,
  },
  {
    layout: 'mpdd',
    files: mvtecFiles('bracket_black').filter((path) => path.includes('000')),
    test: [
      'bracket_black good - bracket_black/test/good/000.png none',
      'bracket_black hole + bracket_black/test/hole/000.png bracket_black/ground_truth/hole/000_mask.png',
    ],
    train: 1,
  },
  {
    layout: 'dtd',
    files: [...mvtecFiles('Woven_068').slice(1, 3), ...mvtecFiles('Mesh_114').slice(1, 2)],
    test: [
      'Mesh_114 good - Mesh_114/test/good/000.png none',
      'Woven_068 good - Woven_068/test/good/000.png none',
      'Woven_068 hole + Woven_068/test/hole/000.png none',
    ],
  },
  {
    layout: 'sdd',
    files: mvtecFiles('electrical commutators').slice(1, 2),
    test: ['electrical commutators good - electrical commutators/test/good/000.png none'],
  },
  {
    layout: 'visa',
    files: {
      'split_csv/1cls.csv': `\ufeff${visaTable}`,
      'candle/Data/Images/Normal/0000.JPG': '',
      'candle/Data/Images/Normal/0001.JPG': '',
      'candle/Data/Images/Anomaly/0,0.JPG': '',
      'candle/Data/Masks/Anomaly/0,0.png': '',
    },
    test: [
      'candle normal - candle/Data/Images/Normal/0001.JPG none',
      'candle anomaly + candle/Data/Images/Anomaly/0,0.JPG candle/Data/Masks/Anomaly/0,0.png',
    ],
    train: 1,
  },
  {
    layout: 'btad',
    files: [
      '01/train/ok/0.bmp',
      '01/test/ok/1.bmp',
      '01/test/ko/0000.bmp',
      '01/ground_truth/ko/0000.png',
      '03/test/ko/0001.png',
    ],
    test: [
      '01 ko + 01/test/ko/0000.bmp 01/ground_truth/ko/0000.png',
      '01 ok - 01/test/ok/1.bmp none',
      '03 ko + 03/test/ko/0001.png none',
    ],
    train: 1,
  },
  {
    layout: 'dagm',
    files: [
      'Class10/Test/0001.PNG',
      'Class10/Test/0002.PNG',
      'Class10/Test/Label/0002_label.PNG',
      'Class10/Train/0007.PNG',
      'Class10/Train/Label/Labels.txt',
    ],
    test: [
      'Class10 good - Class10/Test/0001.PNG none',
      'Class10 defect + Class10/Test/0002.PNG Class10/Test/Label/0002_label.PNG',
    ],
    train: 1,
  },
  {
    layout: 'isic',
    files: [
      'skin/test/bad/ISIC_0000003.jpg',
      'skin/test/bad/ISIC_0000004.jpg',
      'skin/ground_truth/ISIC_0000003_Segmentation.png',
      'skin/ground_truth/ISIC_0000004.png',
    ],
    test: [
      'skin bad + skin/test/bad/ISIC_0000003.jpg skin/ground_truth/ISIC_0000003_Segmentation.png',
      'skin bad + skin/test/bad/ISIC_0000004.jpg skin/ground_truth/ISIC_0000004.png',
    ],
  },
  {
    layout: 'tn3k',
    files: ['test-image/0001.jpg', 'test-mask/0001.jpg', 'trainval-image/0000.jpg', 'trainval-mask/0000.jpg'],
    test: ['thyroid anomalous + test-image/0001.jpg test-mask/0001.jpg'],
    train: 1,
  },
  {
    layout: 'headct',
    files: ['brain/test/good/0.png', 'brain/test/hemorrhage/1.png'],
    test: ['brain good - brain/test/good/0.png none', 'brain hemorrhage + brain/test/hemorrhage/1.png none'],
  },
  {
    layout: 'brainmri',
    files: ['brain_tumor_dataset/no/1 no.jpeg', 'brain_tumor_dataset/yes/Y1.jpg'],
    test: [
      'brain no - brain_tumor_dataset/no/1 no.jpeg none',
      'brain yes + brain_tumor_dataset/yes/Y1.jpg none',
    ],
  },
  {
    layout: 'br35h',
    files: ['brain/no/no0.jpg', 'brain/yes/y0.jpg'],
    test: ['brain no - brain/no/no0.jpg none', 'brain yes + brain/yes/y0.jpg none'],
  },
  {
    layout: 'folders',
    files: [
      'train/cap/good/0.png',
      'test/cap/good/0.png',
      'test/cap/scratch/0.png',
      'test/cap/masks/0_mask.bmp',
      'test/ring/ok/a.png',
      'test/ring/dent/a.png',
      'ground_truth/ring/dent/a_label.png',
    ],
    test: [
      'cap good - test/cap/good/0.png none',
      'cap scratch + test/cap/scratch/0.png test/cap/masks/0_mask.bmp',
      'ring dent + test/ring/dent/a.png ground_truth/ring/dent/a_label.png',
      'ring ok - test/ring/ok/a.png none',
    ],
    train: 1,
  },
];

describe('layouts', () => {
  it.each(trees)('$layout is recognised, and read with its masks', async (expected) => {
    await makeTree(root, expected.files);
    const set = await openDataSet(root);
    expect(set.layout).toBe(expected.layout);
    expect(set.layoutReason).not.toBe('');
    expect(set.warnings).toEqual([]);
    const rows = set.items.map(
      ({ className, kind, isAnomalous, imagePath, maskPath }) =>
        `${className} ${kind} ${isAnomalous ? '+' : '-'} ${imagePath} ${maskPath ?? 'none'}`,
    );
    expect(rows).toEqual(expected.test);
    for (const { image, imagePath, mask, maskPath } of set.items) {
      expect(image).toBe(join(root, imagePath));
      expect(mask).toBe(maskPath === null ? null : join(root, maskPath));
    }
    if (expected.train === undefined)
      expect(await codeOf(openDataSet(root, { split: 'train' }))).toBe('E_DATA_EMPTY');
    else expect((await openDataSet(root, { split: 'train' })).items).toHaveLength(expected.train);
    const forced = await openDataSet(root, { layout: expected.layout });
    expect(forced).toEqual({ ...set, layoutReason: 'as asked for' });
  });

  it('own pictures of one class take the name of their folder', async () => {
    await makeTree(join(root, 'cap'), [
      'good/0.png',
      'bad/0.png',
      'scratch/7.tif',
      'masks/0_mask.png',
      'masks/7.png',
    ]);
    const set = await openDataSet(join(root, 'cap'));
    expect(set.layout).toBe('one-class');
    expect(set.items.map((item) => [item.className, item.kind, item.maskPath])).toEqual([
      ['cap', 'bad', 'masks/0_mask.png'],
      ['cap', 'good', null],
      ['cap', 'scratch', 'masks/7.png'],
    ]);
  });

  it('one class of a larger set is read from its own folder', async () => {
    await makeTree(root, mvtecFiles('bottle'));
    const set = await openDataSet(join(root, 'bottle'));
    expect(set.layout).toBe('one-class');
    expect(set.items.map((item) => item.maskPath)).toEqual([
      null,
      'ground_truth/hole/000_mask.png',
      'ground_truth/hole/001_mask.png',
    ]);
    expect((await openDataSet(join(root, 'bottle'), { split: 'train' })).items).toHaveLength(1);
  });

  it('KolektorSDD tells normal from anomalous by what its labels mark', async () => {
    await makeTree(root, {
      'kos01/Part0.jpg': 'picture',
      'kos01/Part0_label.bmp': await greyPng(0),
      'kos01/Part1.jpg': 'picture',
      'kos01/Part1_label.bmp': await greyPng(0, 16, 12, { value: 1, pixels: 1 }),
      'kos02/Part0.jpg': 'picture',
      'kos02/Part1.jpg': 'picture',
      'kos02/Part1_label.bmp': 'damaged',
    });
    const set = await openDataSet(root);
    expect(set.layout).toBe('kolektorsdd');
    expect(
      set.items.map(({ imagePath, maskPath, isAnomalous }) => [imagePath, maskPath, isAnomalous]),
    ).toEqual([
      ['kos01/Part0.jpg', null, false],
      ['kos01/Part1.jpg', 'kos01/Part1_label.bmp', true],
    ]);
    expect(set.warnings).toEqual([
      '1 pictures are left out, because they have no label, for instance kos02/Part0.jpg',
      '1 pictures are left out, because their label cannot be read, for instance kos02/Part1.jpg',
    ]);
  });

  it('sets arranged like MVTec AD under other names are read, but not taken for it', async () => {
    await makeTree(root, mvtecFiles('gasket'));
    const set = await openDataSet(root);
    expect(set.layout).toBe('mvtec');
    expect(set.published).toBeUndefined();
    expect(set.layoutReason).toBe('CLASS/{train,test}/{good,KIND} with the classes gasket');
  });

  it('a copy with all classes of a set of the paper is known as that set', async () => {
    await makeTree(root, ['01/test/ok/0.png', '02/test/ok/0.png', '03/test/ok/0.png']);
    expect((await openDataSet(root)).published).toBe('btad');
    await rm(join(root, '02'), { recursive: true });
    expect((await openDataSet(root)).published).toBeUndefined();
  });

  it('images beside masks need a name, a number or a word to say what they are', async () => {
    const files = ['images/1.png', 'images/2.png', 'masks/1.png', 'masks/2.png'];
    await makeTree(join(root, 'mine'), files);
    const error = await openDataSet(join(root, 'mine')).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({
      code: 'E_DATA_LAYOUT',
      hint: expect.stringContaining('--layout cvc-clinicdb, --layout cvc-colondb, --layout kvasir-seg'),
    });
    expect((await openDataSet(join(root, 'mine'), { layout: 'cvc-colondb' })).items).toHaveLength(2);
    for (const [folder, layout] of [
      ['CVC-ClinicDB', 'cvc-clinicdb'],
      ['cvc_colondb', 'cvc-colondb'],
      ['EndoTect', 'endo'],
    ] as const) {
      await makeTree(join(root, folder), files);
      const set = await openDataSet(join(root, folder));
      expect([set.layout, set.items[0]!.className, set.items[0]!.maskPath]).toEqual([
        layout,
        'colon',
        'masks/1.png',
      ]);
    }
  });

  it.each([
    ['vendor-a', ['train/good/0.png', 'test/good/1.png', 'test/bad/2.png', 'masks/2_mask.png']],
    ['endo', ['train/good/0.png', 'test/good/1.png', 'test/bad/2.png', 'masks/2_mask.png']],
    ['endoscope', ['good/1.png', 'bad/2.png', 'masks/2_mask.png']],
    ['parts', [...Array.from({ length: 199 }, (_, at) => `good/${at}.png`), 'bad/x.png', 'masks/x_mask.png']],
  ])('a set of one class in a folder called %s is not EndoTect', async (folder, files) => {
    await makeTree(join(root, folder), files);
    const { layout, items, published } = await openDataSet(join(root, folder));
    expect([layout, published, items.at(-1)!.className]).toEqual(['one-class', undefined, folder]);
    expect(items.filter(({ isAnomalous }) => isAnomalous).map(({ kind }) => kind)).toEqual(['bad']);
  });

  it('nor does a folder of EndoTect hold anomalous pictures because nobody knows it', async () => {
    await makeTree(join(root, 'endo'), ['reference/1.png', 'polyp/2.png', 'masks/2.png']);
    expect(await codeOf(openDataSet(join(root, 'endo')))).toBe('E_DATA_LABELS');
    const { items } = await openDataSet(join(root, 'endo'), { normalFolder: ['reference'] });
    expect(items.map(({ kind, isAnomalous }) => [kind, isAnomalous])).toEqual([
      ['polyp', true],
      ['reference', false],
    ]);
  });

  it('pictures of skin with normal ones among them are not ISIC', async () => {
    await makeTree(root, ['skin/test/good/0.png', 'skin/test/cut/1.png', 'skin/ground_truth/1.png']);
    const { layout, items } = await openDataSet(root);
    expect([
      layout,
      ...items.map(({ kind, isAnomalous, maskPath }) => [kind, isAnomalous, maskPath]),
    ]).toEqual(['mvtec', ['cut', true, 'skin/ground_truth/1.png'], ['good', false, null]]);
  });

  it.each([
    [
      'mvtec-3d',
      ['bagel/test/good/rgb/0.png', 'bagel/test/good_side/rgb/1.png', 'bagel/train/good/rgb/2.png'],
    ],
    ['mvtec-ad-2', ['test_public/good/0.png', 'test_public/good_side/1.png', 'train/good/2.png']],
  ])('%s asks of a kind that speaks of good parts', async (layout, files) => {
    await makeTree(root, files);
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_LABELS');
    const set = await openDataSet(root, { normalFolder: ['good_side'] });
    expect([set.layout, set.items.some(({ isAnomalous }) => isAnomalous)]).toEqual([layout, false]);
  });

  it('the number of pictures tells one from the other', async () => {
    const names = Array.from({ length: 380 }, (_, index) => `${index}.png`);
    await makeTree(root, [...names.map((name) => `images/${name}`), 'masks/0.png']);
    const set = await openDataSet(root);
    expect(set.layout).toBe('cvc-colondb');
    expect(set.layoutReason).toContain('380 pictures');
  });

  it('folders of no known layout are refused, and a misspelt name too', async () => {
    await makeTree(root, ['a/b/c/0.png']);
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_LAYOUT');
    const error = await openDataSet(root, { layout: 'mvtek' }).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({ code: 'E_USAGE', hint: 'did you mean mvtec?' });
  });

  it.each<[object, string | undefined]>([
    [{ splt: 'train' }, 'did you mean "split"?'],
    [{ split: 'tset' }, undefined],
    [{ unknownFolders: 'x' }, undefined],
    [{ layout: 5 }, undefined],
    [{ name: 5 }, undefined],
    [{ device: 'cpu' }, undefined],
  ])('options that are none are refused: %j', async (options, hint) => {
    await makeTree(root, ['good/0.png', 'bad/0.png']);
    await expect(openDataSet(root, options)).rejects.toMatchObject({ code: 'E_USAGE', hint });
  });

  it.each<unknown>([null, 5, '', 'set\0'])('a place that is none is refused: %j', async (path) => {
    expect(await codeOf(openDataSet(path as string))).toBe('E_USAGE');
  });

  it('hidden files and files that are no pictures do not count', async () => {
    await makeTree(root, [
      'good/0.png',
      'good/._0.png',
      'good/Thumbs.db',
      'good/a.txt',
      'bad/1.png',
      '.git/x.png',
    ]);
    expect((await openDataSet(root)).items).toHaveLength(2);
  });

  it('every layout has its own name, and the counts are those of the paper', () => {
    expect(new Set(layouts.map(({ name }) => name)).size).toBe(layouts.length);
    const total = publishedSets.reduce((sum, { normal, anomalous }) => sum + normal + anomalous, 0);
    expect([publishedSets.length, total]).toEqual([15, 20_333]);
  });
});

describe('the table of VisA', () => {
  it.each([
    ['a column missing', 'object,split,label\ncandle,test,normal\n'],
    ['an unknown label', 'object,split,label,image,mask\ncandle,test,broken,a.png,\n'],
    ['a row too short', 'object,split,label,image,mask\ncandle,test\n'],
    ['an open quote', 'object,split,label,image,mask\n"candle,test,normal,a.png,\n'],
  ])('with %s is refused', async (_, text) => {
    await makeTree(root, { 'split_csv/1cls.csv': text });
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_META');
  });

  it('is not read beyond its own columns', async () => {
    const others = Array.from({ length: 1000 }, (_, at) => `c${at}`).join();
    await makeTree(root, {
      'split_csv/1cls.csv': `object,split,label,image,mask,${others}\nc,test,normal,a.png,\n`,
      'a.png': '',
    });
    const made = vi.spyOn(Object, 'fromEntries');
    expect((await openDataSet(root)).items).toHaveLength(1);
    const sizes = made.mock.calls.map(([pairs]) => [...pairs].length);
    made.mockRestore();
    expect(Math.max(...sizes)).toBeLessThan(100);
  });

  it('may not lead out of the root', async () => {
    await makeTree(root, {
      'set/split_csv/1cls.csv': 'object,split,label,image,mask\nc,test,normal,../x.png,\n',
      'x.png': '',
    });
    expect(await codeOf(openDataSet(join(root, 'set')))).toBe('E_DATA_PATH');
  });
});
