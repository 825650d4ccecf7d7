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

const mvtecTree = (classes: readonly string[]) =>
  classes.flatMap((name) => [
    `${name}/train/good/001.png`,
    `${name}/train/good/000.png`,
    `${name}/test/good/000.png`,
    `${name}/test/hole/010.png`,
    `${name}/test/hole/002.png`,
    `${name}/test/cut/000.png`,
    `${name}/ground_truth/hole/010_mask.png`,
    `${name}/ground_truth/hole/002_mask.png`,
    `${name}/ground_truth/cut/000_mask.png`,
  ]);
const entry = (img: string, mask: string, cls: string, specie: string, anomaly: 0 | 1) => ({
  img_path: img,
  mask_path: mask,
  cls_name: cls,
  specie_name: specie,
  anomaly,
});
const mvtecIndex = (classes: readonly string[]) => ({
  train: Object.fromEntries(
    classes.map((name) => [
      name,
      ['000', '001'].map((picture) => entry(`${name}/train/good/${picture}.png`, '', name, 'good', 0)),
    ]),
  ),
  test: Object.fromEntries(
    classes.map((name) => {
      const anomalous = (kind: string, picture: string) =>
        entry(
          `${name}/test/${kind}/${picture}.png`,
          `${name}/ground_truth/${kind}/${picture}_mask.png`,
          name,
          kind,
          1,
        );
      return [
        name,
        [
          anomalous('cut', '000'),
          entry(`${name}/test/good/000.png`, '', name, 'good', 0),
          anomalous('hole', '002'),
          anomalous('hole', '010'),
        ],
      ];
    }),
  ),
});

/** As data-layouts of the authors' scripts have it: `specie_name` is the folder of the kind, or empty. */
const indexes: [name: string, files: readonly string[] | Record<string, string>, index: object][] = [
  ...(
    [
      ['mvtec', ['bottle', 'cable', 'zipper']],
      ['mpdd', ['bracket_black', 'tubes']],
      ['sdd', ['electrical commutators']],
      ['dtd', ['Blotchy_099', 'Woven_001', 'Woven_127']],
    ] as const
  ).map(([name, classes]) => [name, mvtecTree(classes), mvtecIndex(classes)] as [string, string[], object]),
  [
    'visa',
    {
      'split_csv/1cls.csv':
        'object,split,label,image,mask\ncandle,train,normal,candle/0.JPG,\ncandle,test,anomaly,candle/1.JPG,candle/1.png\n' +
        'candle,test,normal,candle/2.JPG,\npcb1,train,normal,pcb1/0.JPG,\npcb1,test,normal,pcb1/1.JPG,\n',
      ...Object.fromEntries(
        ['candle/0.JPG', 'candle/1.JPG', 'candle/1.png', 'candle/2.JPG', 'pcb1/0.JPG', 'pcb1/1.JPG'].map(
          (path) => [path, ''],
        ),
      ),
    },
    {
      train: {
        candle: [entry('candle/0.JPG', '', 'candle', '', 0)],
        pcb1: [entry('pcb1/0.JPG', '', 'pcb1', '', 0)],
      },
      test: {
        candle: [
          entry('candle/1.JPG', 'candle/1.png', 'candle', '', 1),
          entry('candle/2.JPG', '', 'candle', '', 0),
        ],
        pcb1: [entry('pcb1/1.JPG', '', 'pcb1', '', 0)],
      },
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
        ['images/10.png', 'images/2.png', 'masks/10.png', 'masks/2.png'],
        {
          train: {},
          test: {
            colon: [
              entry('images/10.png', 'masks/10.png', 'colon', '', 1),
              entry('images/2.png', 'masks/2.png', 'colon', '', 1),
            ],
          },
        },
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
    ['test-image/0001.jpg', 'test-image/0000.jpg', 'test-mask/0000.jpg', 'test-mask/0001.jpg'],
    {
      train: {},
      test: {
        thyroid: ['0000', '0001'].map((name) =>
          entry(`test-image/${name}.jpg`, `test-mask/${name}.jpg`, 'thyroid', '', 1),
        ),
      },
    },
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
    // As text: names and order of splits, classes, entries and fields.
    expect(JSON.stringify(JSON.parse(text), null, 1)).toBe(JSON.stringify(index, null, 1));
    expect(sets.test.warnings).toEqual([]);
  });
});
