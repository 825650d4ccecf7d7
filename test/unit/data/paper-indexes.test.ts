/** The indexes of the paper's sets, entry by entry as the authors' scripts write them. */
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexDataSet } from '../../../src/data/index-data-set.js';
import { makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const mvtecTree = (className: string, normal = 'good') => [
  `${className}/train/${normal}/000.png`,
  `${className}/test/${normal}/000.png`,
  `${className}/test/hole/001.png`,
  `${className}/ground_truth/hole/001_mask.png`,
];
const entry = (img: string, mask: string, cls: string, specie: string, anomaly: 0 | 1) => ({
  img_path: img,
  mask_path: mask,
  cls_name: cls,
  specie_name: specie,
  anomaly,
});
const mvtecIndex = (className: string) => ({
  train: { [className]: [entry(`${className}/train/good/000.png`, '', className, 'good', 0)] },
  test: {
    [className]: [
      entry(`${className}/test/good/000.png`, '', className, 'good', 0),
      entry(
        `${className}/test/hole/001.png`,
        `${className}/ground_truth/hole/001_mask.png`,
        className,
        'hole',
        1,
      ),
    ],
  },
});

/** As data-layouts of the authors' scripts have it: `specie_name` is the folder of the kind, or empty. */
const indexes: [name: string, files: readonly string[] | Record<string, string>, index: object][] = [
  ...['bottle', 'bracket_black', 'electrical commutators', 'Woven_001'].map(
    (className) => [className, mvtecTree(className), mvtecIndex(className)] as [string, string[], object],
  ),
  [
    'visa',
    {
      'split_csv/1cls.csv':
        'object,split,label,image,mask\ncandle,train,normal,candle/0.JPG,\ncandle,test,anomaly,candle/1.JPG,candle/1.png\n',
      'candle/0.JPG': '',
      'candle/1.JPG': '',
      'candle/1.png': '',
    },
    {
      train: { candle: [entry('candle/0.JPG', '', 'candle', '', 0)] },
      test: { candle: [entry('candle/1.JPG', 'candle/1.png', 'candle', '', 1)] },
    },
  ],
  [
    'btad',
    [
      '01/train/ok/0.bmp',
      '01/test/ok/1.bmp',
      '01/test/ko/2.bmp',
      '01/ground_truth/ko/2.png',
      '02/test/ok/3.png',
    ],
    {
      train: { '01': [entry('01/train/ok/0.bmp', '', '01', 'ok', 0)] },
      test: {
        '01': [
          entry('01/test/ko/2.bmp', '01/ground_truth/ko/2.png', '01', 'ko', 1),
          entry('01/test/ok/1.bmp', '', '01', 'ok', 0),
        ],
        '02': [entry('02/test/ok/3.png', '', '02', 'ok', 0)],
      },
    },
  ],
  [
    'dagm',
    [
      ...['Class10/Test/0001.PNG', 'Class2/Test/0002.PNG', 'Class2/Test/Label/0002_label.PNG'],
      ...[
        'Class10/Train/Label/0003_label.PNG',
        'Class10/Train/0003.PNG',
        'Class10/Test/Label/0009_label.PNG',
      ],
      'Class10/Test/0009.PNG',
    ],
    {
      train: {
        Class10: [entry('Class10/Train/0003.PNG', 'Class10/Train/Label/0003_label.PNG', 'Class10', '', 1)],
      },
      test: {
        Class10: [
          entry('Class10/Test/0001.PNG', '', 'Class10', '', 0),
          entry('Class10/Test/0009.PNG', 'Class10/Test/Label/0009_label.PNG', 'Class10', '', 1),
        ],
        Class2: [entry('Class2/Test/0002.PNG', 'Class2/Test/Label/0002_label.PNG', 'Class2', '', 1)],
      },
    },
  ],
  [
    'isic',
    ['skin/test/bad/ISIC_3.jpg', 'skin/ground_truth/ISIC_3_segmentation.png'],
    {
      train: {},
      test: {
        skin: [
          entry('skin/test/bad/ISIC_3.jpg', 'skin/ground_truth/ISIC_3_segmentation.png', 'skin', 'bad', 1),
        ],
      },
    },
  ],
  ...['CVC-ClinicDB', 'CVC-ColonDB'].map(
    (name) =>
      [
        name,
        ['images/1.png', 'masks/1.png'],
        { train: {}, test: { colon: [entry('images/1.png', 'masks/1.png', 'colon', '', 1)] } },
      ] as [string, string[], object],
  ),
  [
    'EndoTect',
    ['good/0.jpg', 'images/1.jpg', 'masks/1.jpg'],
    {
      train: {},
      test: {
        colon: [
          entry('good/0.jpg', '', 'colon', 'good', 0),
          entry('images/1.jpg', 'masks/1.jpg', 'colon', 'images', 1),
        ],
      },
    },
  ],
  [
    'tn3k',
    ['test-image/0.jpg', 'test-mask/0.jpg'],
    { train: {}, test: { thyroid: [entry('test-image/0.jpg', 'test-mask/0.jpg', 'thyroid', '', 1)] } },
  ],
  [
    'headct',
    ['brain/test/good/0.png', 'brain/test/hemorrhage/1.png'],
    {
      train: {},
      test: {
        brain: [
          entry('brain/test/good/0.png', '', 'brain', 'good', 0),
          entry('brain/test/hemorrhage/1.png', '', 'brain', 'hemorrhage', 1),
        ],
      },
    },
  ],
  ...[
    ['brainmri', 'brain_tumor_dataset'],
    ['br35h', 'brain'],
  ].map(
    ([name, folder]) =>
      [
        name,
        [`${folder}/no/n.jpg`, `${folder}/yes/y.jpg`],
        {
          train: {},
          test: {
            brain: [
              entry(`${folder}/no/n.jpg`, '', 'brain', 'no', 0),
              entry(`${folder}/yes/y.jpg`, '', 'brain', 'yes', 1),
            ],
          },
        },
      ] as [string, string[], object],
  ),
];

describe("the index of a set of the paper is that of the authors' script, entry by entry", () => {
  it.each(indexes)('%s', async (name, files, index) => {
    const place = join(root, name);
    await makeTree(place, files as Record<string, string>);
    const { file, sets } = await indexDataSet(place, { layout: 'auto', overwrite: false });
    expect(basename(file)).toBe('meta.json');
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toEqual(index);
    // Classes whose names are whole numbers keep their place in the text.
    const classes = [...text.matchAll(/^ {2}"(.*)": \[$/gm)].map(([, found]) => found);
    const wanted = Object.values(index).flatMap((split) => Object.keys(split as object));
    expect(classes.sort()).toEqual(wanted.sort());
    expect(sets.test.warnings).toEqual([]);
  });
});
