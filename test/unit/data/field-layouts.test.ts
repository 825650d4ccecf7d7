/** Data sets as people hold them today: cases L1 and L2 of docs/field-cases.md. */
import { execFileSync } from 'node:child_process';
import { readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexDataSet } from '../../../src/data/index-data-set.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import type { CraneError } from '../../../src/errors.js';
import { greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Case {
  layout: string;
  /** below the root; `folder/` before all of them where the name of the folder matters */
  files: Record<string, string | Uint8Array> | readonly string[];
  folder?: string;
  /** class, kind, label, picture, masks */
  test: readonly string[];
  train?: readonly string[];
  /** reasons and examples of what is left out, but for the other split and files that are no pictures */
  leftOut?: readonly (readonly string[])[];
}

const realIadIndex = JSON.stringify({
  meta: { prefix: 'audiojack/', normal_class: 'OK', pre_transform: [] },
  train: [
    { category: 'audiojack', anomaly_class: 'OK', image_path: 'OK/S0001/a_OK_C1.jpg', mask_path: null },
  ],
  test: [
    { category: 'audiojack', anomaly_class: 'OK', image_path: 'OK/S0002/a_OK_C1.jpg', mask_path: null },
    {
      category: 'audiojack',
      anomaly_class: 'QS',
      image_path: 'NG/QS/S0003/a_QS_C2.jpg',
      mask_path: 'NG/QS/S0003/a_QS_C2.png',
    },
  ],
});

const cases: Case[] = [
  {
    layout: 'mvtec-ad-2',
    files: [
      ...['can/train/good/000_regular.png', 'can/validation/good/001_regular.png'],
      ...['can/test_public/good/002_regular.png', 'can/test_public/bad/003_regular.png'],
      ...['can/test_public/ground_truth/bad/003_regular_mask.png', 'can/test_private/004_regular.png'],
      'can/test_private_mixed/005_mixed.png',
      ...['rice/test_public/bad/000.png', 'rice/ground_truth/bad/000_mask.png'],
      'rice/train/good/1.png',
    ],
    test: [
      'can bad + can/test_public/bad/003_regular.png can/test_public/ground_truth/bad/003_regular_mask.png',
      'can good - can/test_public/good/002_regular.png',
      'rice bad + rice/test_public/bad/000.png rice/ground_truth/bad/000_mask.png',
    ],
    train: ['can good - can/train/good/000_regular.png', 'rice good - rice/train/good/1.png'],
    leftOut: [
      [
        'no-split',
        'can/test_private/004_regular.png',
        'can/test_private_mixed/005_mixed.png',
        'can/validation/good/001_regular.png',
      ],
    ],
  },
  {
    layout: 'mvtec-ad-2',
    folder: 'can',
    files: [
      ...['train/good/0.png', 'test_public/good/1.png', 'test_public/bad/2.png'],
      'test_public/ground_truth/bad/2_mask.png',
    ],
    test: [
      'can bad + test_public/bad/2.png test_public/ground_truth/bad/2_mask.png',
      'can good - test_public/good/1.png',
    ],
    train: ['can good - train/good/0.png'],
  },
  {
    layout: 'mvtec-loco',
    files: {
      'pushpins/train/good/0.png': '',
      'pushpins/validation/good/0.png': '',
      'pushpins/test/good/0.png': '',
      'pushpins/test/logical_anomalies/000.png': '',
      'pushpins/ground_truth/logical_anomalies/000/000.png': '',
      'pushpins/ground_truth/logical_anomalies/000/001.png': '',
      'pushpins/defects_config.json': JSON.stringify([
        { defect_name: 'missing', pixel_value: 255, saturation_threshold: 6300, relative_saturation: false },
      ]),
    },
    test: [
      'pushpins good - pushpins/test/good/0.png',
      'pushpins logical_anomalies + pushpins/test/logical_anomalies/000.png pushpins/ground_truth/logical_anomalies/000/000.png pushpins/ground_truth/logical_anomalies/000/001.png',
    ],
    train: ['pushpins good - pushpins/train/good/0.png'],
    leftOut: [['no-split', 'pushpins/validation/good/0.png']],
  },
  {
    layout: 'mvtec-3d',
    files: [
      ...['bagel/train/good/rgb/000.png', 'bagel/train/good/xyz/000.tiff'],
      ...['bagel/test/good/rgb/000.png', 'bagel/test/good/gt/000.png', 'bagel/test/good/xyz/000.tiff'],
      ...['bagel/test/hole/rgb/001.png', 'bagel/test/hole/gt/001.png', 'bagel/test/hole/xyz/001.tiff'],
      'bagel/validation/good/rgb/000.png',
    ],
    test: [
      'bagel good - bagel/test/good/rgb/000.png bagel/test/good/gt/000.png',
      'bagel hole + bagel/test/hole/rgb/001.png bagel/test/hole/gt/001.png',
    ],
    train: ['bagel good - bagel/train/good/rgb/000.png'],
    leftOut: [['no-split', 'bagel/validation/good/rgb/000.png']],
  },
  {
    layout: 'visa-pytorch',
    files: [
      ...['1cls/candle/train/good/0.JPG', '1cls/candle/test/good/1.JPG', '1cls/candle/test/bad/2.JPG'],
      '1cls/candle/ground_truth/bad/2.png',
    ],
    test: [
      'candle bad + 1cls/candle/test/bad/2.JPG 1cls/candle/ground_truth/bad/2.png',
      'candle good - 1cls/candle/test/good/1.JPG',
    ],
    train: ['candle good - 1cls/candle/train/good/0.JPG'],
  },
  {
    layout: 'visa-raw',
    files: {
      'candle/image_anno.csv':
        'image,label,mask\ncandle/Data/Images/Normal/0.JPG,normal,\ncandle/Data/Images/Anomaly/1.JPG,"weird wick,melded",candle/Data/Masks/Anomaly/1.png\n',
      'candle/Data/Images/Normal/0.JPG': '',
      'candle/Data/Images/Anomaly/1.JPG': '',
      'candle/Data/Masks/Anomaly/1.png': '',
    },
    test: [
      'candle anomaly + candle/Data/Images/Anomaly/1.JPG candle/Data/Masks/Anomaly/1.png',
      'candle normal - candle/Data/Images/Normal/0.JPG',
    ],
  },
  {
    layout: 'real-iad',
    files: {
      'realiad_jsons/realiad_jsons/audiojack.json': realIadIndex,
      'realiad_jsons/realiad_jsons_sv/audiojack.json': realIadIndex,
      'realiad_256/audiojack/OK/S0001/a_OK_C1.jpg': '',
      'realiad_256/audiojack/OK/S0002/a_OK_C1.jpg': '',
      'realiad_256/audiojack/NG/QS/S0003/a_QS_C2.jpg': '',
      'realiad_256/audiojack/NG/QS/S0003/a_QS_C2.png': '',
    },
    test: [
      'audiojack QS + realiad_256/audiojack/NG/QS/S0003/a_QS_C2.jpg realiad_256/audiojack/NG/QS/S0003/a_QS_C2.png',
      'audiojack OK - realiad_256/audiojack/OK/S0002/a_OK_C1.jpg',
    ],
    train: ['audiojack OK - realiad_256/audiojack/OK/S0001/a_OK_C1.jpg'],
  },
  {
    layout: 'dagm-2007',
    files: ['Class1/1.png', 'Class1_def/1.png', 'Class1_def/labels.txt', 'Class2/1.png', 'Class2_def/3.png'],
    test: [
      'Class1 good - Class1/1.png',
      'Class1 defect + Class1_def/1.png',
      'Class2 good - Class2/1.png',
      'Class2 defect + Class2_def/3.png',
    ],
  },
  {
    layout: 'isic-raw',
    files: [
      ...[
        'ISBI2016_ISIC_Part1_Test_Data/ISIC_3.jpg',
        'ISBI2016_ISIC_Part1_Test_GroundTruth/ISIC_3_Segmentation.png',
      ],
      'ISBI2016_ISIC_Part1_Training_Data/ISIC_0.jpg',
      'ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_0_Segmentation.png',
    ],
    test: [
      'skin anomalous + ISBI2016_ISIC_Part1_Test_Data/ISIC_3.jpg ISBI2016_ISIC_Part1_Test_GroundTruth/ISIC_3_Segmentation.png',
    ],
    train: [
      'skin anomalous + ISBI2016_ISIC_Part1_Training_Data/ISIC_0.jpg ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_0_Segmentation.png',
    ],
  },
  {
    layout: 'cvc-original',
    files: ['PNG/Original/1.png', 'PNG/Ground Truth/1.png', 'TIF/Original/1.tif', 'TIF/Ground Truth/1.tif'],
    test: ['colon anomalous + PNG/Original/1.png PNG/Ground Truth/1.png'],
    leftOut: [
      ['outside-layout', 'TIF/Original/1.tif'],
      ['unused-ground-truth', 'TIF/Ground Truth/1.tif'],
    ],
  },
  {
    layout: 'kvasir-seg',
    files: ['images/a.jpg', 'masks/a.jpg', 'kavsir_bboxes.json'],
    test: ['colon anomalous + images/a.jpg masks/a.jpg'],
  },
  {
    layout: 'headct-labels',
    files: {
      'labels.csv': 'id, hemorrhage\r\n0,1\r\n7,0\r\n',
      'head_ct/head_ct/000.png': '',
      'head_ct/head_ct/007.png': '',
      'head_ct/head_ct/008.png': '',
    },
    test: ['brain hemorrhage + head_ct/head_ct/000.png', 'brain good - head_ct/head_ct/007.png'],
    leftOut: [['too-deep', 'head_ct/head_ct/008.png']],
  },
  {
    layout: 'br35h-raw',
    files: ['yes/y0.jpg', 'no/no0.jpg', 'pred/pred0.jpg'],
    test: ['brain no - no/no0.jpg', 'brain yes + yes/y0.jpg'],
    leftOut: [['no-label', 'pred/pred0.jpg']],
  },
];

const row = (item: Awaited<ReturnType<typeof openDataSet>>['items'][number]) =>
  [item.className, item.kind, item.isAnomalous ? '+' : '-', item.imagePath, ...item.maskPaths].join(' ');

describe('L1, L2: data sets as they are downloaded', () => {
  it.each(cases)(
    '$layout is recognised, and read whole',
    async ({ layout, files, folder, test, train, leftOut = [] }) => {
      const place = folder === undefined ? root : join(root, folder);
      await makeTree(place, files as Record<string, string>);
      const set = await openDataSet(place);
      expect(set.layout).toBe(layout);
      expect(set.items.map(row)).toEqual(test);
      if (train !== undefined)
        expect((await openDataSet(place, { split: 'train' })).items.map(row)).toEqual(train);
      const missed = set.scan.leftOut.filter(
        ({ reason }) => reason !== 'other-split' && reason !== 'no-picture',
      );
      expect(missed.map(({ reason, examples }) => [reason, ...examples])).toEqual(leftOut);
      const index = await indexDataSet(place, { layout: 'auto', overwrite: false });
      expect(
        (await openDataSet(index.file)).items.map(({ imagePath, maskPaths }) => [imagePath, ...maskPaths]),
      ).toEqual(set.items.map(({ imagePath, maskPaths }) => [imagePath, ...maskPaths]));
    },
  );

  it.each([
    ['labels.csv', 'id,hemorrhage\nimg_1,0\nimg_2,1\n', /row 2: .* found "img_1" and "0"/],
    ['labels.csv', 'id,hemorrhage\n1,0\n2,TRUE\n', /row 3: .* found "2" and "TRUE"/],
    ['pcb/image_anno.csv', 'image,label,mask\na.png,normal,\nb.png,,\n', /row 3: label/],
  ])('a label of %s that is none is refused with its row', async (table, text, message) => {
    await makeTree(root, {
      [table]: text,
      'head_ct/1.png': '',
      'head_ct/a.png': '',
      'a.png': '',
      'b.png': '',
    });
    await expect(openDataSet(root)).rejects.toMatchObject({
      code: 'E_DATA_META',
      message: expect.stringMatching(message),
    });
  });

  it('a label of VisA that says normal does so in any case', async () => {
    await makeTree(root, {
      'pcb/image_anno.csv': 'image,label,mask\na.png,Normal,\nb.png, ok,\nc.png,melt,m.png\n',
      ...{ 'a.png': '', 'b.png': '', 'c.png': '', 'm.png': '' },
    });
    expect((await openDataSet(root)).items.map(row)).toEqual([
      'pcb normal - a.png',
      'pcb normal - b.png',
      'pcb anomaly + c.png m.png',
    ]);
  });

  it('a folder jsons of something else is no index of Real-IAD', async () => {
    const labelme = '{"shapes": [], "imagePath": "1.png"}';
    await makeTree(root, { 'good/0.png': '', 'bad/1.png': '', 'jsons/1.json': labelme });
    expect((await openDataSet(root)).layout).toBe('one-class');
  });

  it('nor is a file of any size read as an index', async () => {
    const { files } = cases.find(({ layout }) => layout === 'mvtec-loco')!;
    await makeTree(join(root, 'loco'), files as Record<string, string>);
    await makeTree(join(root, 'iad'), { 'jsons/a.json': realIadIndex, 'jsons/b.json': '' });
    const large = [join(root, 'loco/pushpins/defects_config.json'), join(root, 'iad/jsons/b.json')];
    for (const file of large) await truncate(file, 2 ** 27);
    for (const folder of ['loco', 'iad'])
      await expect(openDataSet(join(root, folder))).rejects.toMatchObject({
        code: 'E_DATA_META',
        message: expect.stringContaining('134217728 bytes, at most'),
      });
  });

  it('KolektorSDD2 tells normal from anomalous by what its labels mark', async () => {
    await makeTree(root, {
      'train/10000.png': 'p',
      'train/10000_GT.png': await greyPng(0),
      'test/20000.png': 'p',
      'test/20000_GT.png': await greyPng(0),
      'test/20001.png': 'p',
      'test/20001_GT.png': await greyPng(0, 16, 12, { value: 255, pixels: 3 }),
    });
    const set = await openDataSet(root);
    expect([set.layout, ...set.items.map(row)]).toEqual([
      'kolektorsdd2',
      'kolektorsdd2 good - test/20000.png',
      'kolektorsdd2 defect + test/20001.png test/20001_GT.png',
    ]);
    expect((await openDataSet(root, { split: 'train' })).items).toHaveLength(1);
  });

  it("LOCO's saturation areas stay in the index", async () => {
    const { files } = cases.find(({ layout }) => layout === 'mvtec-loco')!;
    await makeTree(root, files as Record<string, string>);
    const { file } = await indexDataSet(root, { layout: 'auto', overwrite: false });
    const areas = [
      { className: 'pushpins', name: 'missing', pixelValue: 255, saturation: 6300, isRelative: false },
    ];
    expect((await openDataSet(file)).defects).toEqual(areas);
    expect((await openDataSet(root, { layout: 'mvtec-loco' })).defects).toEqual(areas);
  });

  it.each([
    [['train.csv', 'train_images/0.jpg'], /Severstal/, /--annotations .*train\.csv/],
    [['images/0.jpg', 'labels/0.txt', 'data.yaml'], /YOLO/, /--annotations .*labels/],
    [['images/0.jpg', 'annotations.json'], /COCO/, /--annotations '.*annotations\.json'$/],
    [['images/0.jpg', 'annotations/instances_default.json'], /COCO/, /--annotations '.*\/annotations'$/],
    [['train.csv', 'train_images/0.jpg', 'test_images/1.jpg'], /Severstal/, /--annotations '.*train\.csv'$/],
    [
      ['train/images/0.jpg', 'train/labels/0.txt', 'valid/images/1.jpg', 'data.yaml'],
      /YOLO/,
      /--annotations '[^']*[^/]'$/,
    ],
    [['0.jpg', '0.json'], /labelme/, /--annotations/],
    [['realiad_256/audiojack/OK/S1/0.jpg'], /Real-IAD without/, /realiad_jsons/],
    [['train/0.jpg', 'train/_annotations.coco.json'], /COCO/, /--annotations/],
    [
      ['a/good/0.png', 'a/bad/1.png', 'b/good/0.png', 'b/bad/1.png'],
      /there are 2 in it: a, b/,
      /name that folder: .*a'$/,
    ],
    [['mvtec.tar.xz'], /archive mvtec\.tar\.xz/, /unpack/],
    [['0.jpg', '1.jpg'], /2 pictures, and nothing says/, /good\//],
    [['data/bottle/test/good/0.png', 'data/bottle/test/hole/0.png'], /there is one in it/, /data'$/],
  ])('%j, which no layout reads, is told with what to do', async (files, what, hint) => {
    await makeTree(root, files);
    await expect(openDataSet(root)).rejects.toMatchObject({
      code: 'E_DATA_LAYOUT',
      message: expect.stringMatching(what),
      hint: expect.stringMatching(hint),
    });
  });

  it('L1: classes within folders of their own names are told, and the command that moves them is one', async () => {
    const classes = ['can', 'fruit jelly'];
    const parts = ['train/good/0.png', 'test_public/good/1.png', 'test_public/bad/2.png'];
    const mask = 'test_public/ground_truth/bad/2_mask.png';
    await makeTree(
      root,
      classes.flatMap((name) => [...parts, mask].map((part) => `${name}/${name}/${part}`)),
    );
    await makeTree(root, { 'can/licence.txt': 'kept' });
    const told = await openDataSet(root).catch((thrown: CraneError) => thrown);
    expect(told).toMatchObject({
      code: 'E_DATA_LAYOUT',
      message: expect.stringContaining('can/can, fruit jelly/fruit jelly'),
    });
    const [, move] = /move them up: (\(.*\)) ; npx crane-native data index/.exec((told as CraneError).hint!)!;
    execFileSync('bash', ['-c', move!], { stdio: 'ignore' });
    const { items, layout } = await openDataSet(root);
    expect([layout, items.map(({ imagePath, maskPath }) => [imagePath, maskPath])]).toEqual([
      'mvtec-ad-2',
      classes.flatMap((name) => [
        [`${name}/test_public/bad/2.png`, `${name}/${mask}`],
        [`${name}/test_public/good/1.png`, null],
      ]),
    ]);
    expect(await readFile(join(root, 'can.outer/licence.txt'), 'utf8')).toBe('kept');
  });
});
