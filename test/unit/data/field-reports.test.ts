/** Rows of "Public reports, tried" and "Further folders" in docs/field-cases.md, made small and tried again. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexAnnotated } from '../../../src/data/index-annotated.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import type { CraneError } from '../../../src/errors.js';
import { checkFolder, greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const [width, height] = [16, 12];
/** Of each path a picture of its own, or, where its folder is one of masks, a mask of 20 pixels. */
async function plant(paths: readonly string[], more: Record<string, string | Uint8Array> = {}) {
  const files: Record<string, string | Uint8Array> = {};
  for (const [index, path] of paths.entries())
    files[path] = /mask|ground_truth|_GT/i.test(path)
      ? await greyPng(0, width, height, { value: 255, pixels: 20 })
      : await greyPng(index + 20, width, height);
  await makeTree(root, { ...files, ...more });
}
const check = () => checkFolder(root);
const summary = async () => {
  const { test, train, findings, notes } = await check();
  return {
    test: [test.normal, test.anomalous, test.withMask],
    train: [train.normal, train.anomalous],
    kinds: [...new Set(findings.map(({ kind }) => kind))],
    notes,
  };
};

describe('folders that are read, with what is said of them', () => {
  it.each<[report: string, paths: string[], expected: object]>([
    [
      'anomalib #680: masks of some anomalous pictures only',
      ['good/0.png', 'bad/1.png', 'bad/2.png', 'masks/1_mask.png'],
      { test: [1, 2, 1], kinds: ['reading'], notes: ['1 of 2 anomalous pictures have no mask'] },
    ],
    [
      'anomalib #659: images and masks below the folders of the labels',
      ['good/images/0.png', 'bad/images/1.png', 'masks/bad/1.png'],
      { test: [1, 1, 1] },
    ],
    [
      'anomalib #831: ground truth that is an empty folder',
      ['cap/train/good/0.png', 'cap/test/good/1.png', 'cap/test/def/2.png'],
      { test: [1, 1, 0], train: [1, 0], notes: ['no masks, so no pixel-level figures'] },
    ],
    [
      'Detectron #100: several masks a picture',
      ['good/0.png', 'bad/1.png', 'masks/1_mask_1.png', 'masks/1_mask_2.png'],
      { test: [1, 1, 1], kinds: [] },
    ],
    ['PASS and FAIL', ['PASS/0.png', 'FAIL/1.png'], { test: [1, 1, 0] }],
    ['normal, abnormal and mask', ['normal/0.png', 'abnormal/1.png', 'mask/1.png'], { test: [1, 1, 1] }],
    ['Gut Teile and Schlecht Teile', ['Gut Teile/0.png', 'Schlecht Teile/1.png'], { test: [1, 1, 0] }],
    ['good, not-good and re_work', ['good/0.png', 'not-good/1.png', 're_work/2.png'], { test: [1, 2, 0] }],
    ['good/good and bad/bad', ['good/good/0.png', 'bad/bad/1.png'], { test: [1, 1, 0] }],
    [
      'ground_truth/def/2_GT.png',
      ['cap/test/good/0.png', 'cap/test/def/2.png', 'cap/ground_truth/def/2_GT.png'],
      { test: [1, 1, 1], kinds: [] },
    ],
  ])('%s', async (_report, paths, expected) => {
    await plant(paths);
    expect(await summary()).toMatchObject(expected);
  });

  it.each<[report: string, mask: { value: number; pixels: number }, kinds: string[]]>([
    ['anomalib #414: masks of 0 and 1', { value: 1, pixels: 20 }, []],
    ['anomalib #1006: masks of more than two values', { value: 77, pixels: 30 }, []],
    ['ASD #1: anomalous is 0, the rest 255', { value: 255, pixels: 180 }, ['large-mask']],
  ])('%s', async (_report, mask, kinds) => {
    await plant(['good/0.png', 'bad/1.png'], {
      'masks/1_mask.png': await greyPng(0, width, height, mask),
    });
    expect((await summary()).kinds).toEqual(kinds);
  });

  it('rubbish and captions are counted: .DS_Store, ._1.png, 1.txt, raw frames', async () => {
    await plant(['good/0.png', 'bad/1.png'], {
      'good/.DS_Store': 'x',
      'bad/._1.png': '\0\x05\x16\x07',
      'bad/1.txt': 'a caption',
      'bad/frame.raw': 'pixels',
    });
    const { scan, findings } = await check();
    expect(scan).toMatchObject({ pictures: 2 });
    const counts = Object.fromEntries(scan.leftOut.map(({ reason, count }) => [reason, count]));
    expect(counts).toMatchObject({ 'kind-not-read': 1 });
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(findings.map(({ kind }) => kind)).toEqual(['left-out']);
  });

  it('facenet #338, vision #138: a file of zero bytes, and one that is cut off, are faults with their reason', async () => {
    const whole = await greyPng(77, width, height);
    await plant(['good/0.png', 'bad/1.png'], {
      'bad/zero.png': '',
      'bad/cut.png': whole.subarray(0, whole.length - 20),
    });
    const { findings } = await check();
    expect(findings.map(({ kind, paths }) => [kind, ...paths])).toEqual([
      ['damaged-picture', 'bad/cut.png'],
      ['damaged-picture', 'bad/zero.png'],
    ]);
    expect(findings[1]!.detail).toContain('zero bytes');
  });
});

describe('folders that are asked for, never guessed', () => {
  it.each<[report: string, paths: string[], code: string, hint: RegExp]>([
    [
      'anomalib #243: negative and positive',
      ['test/Negative/0.png', 'test/Positive/1.png', 'ground_truth/1.png'],
      'E_DATA_LABELS',
      /--normal-folder/,
    ],
    [
      'ok_front and def_front',
      ['ok_front/0.png', 'def_front/1.png'],
      'E_DATA_LABELS',
      /--normal-folder ok_front /,
    ],
    ['A and B', ['A/0.png', 'B/1.png'], 'E_DATA_LABELS', /--normal-folder NAME /],
    ['cracks: images and masks', ['images/0.png', 'masks/0.png'], 'E_DATA_LAYOUT', /--layout /],
    [
      'an archive around BTAD',
      ['BTech_Dataset_transformed/01/test/ok/0.png', 'BTech_Dataset_transformed/01/test/ko/1.png'],
      'E_DATA_LAYOUT',
      /BTech_Dataset_transformed/,
    ],
  ])('%s', async (_report, paths, code, hint) => {
    await plant(paths);
    const error = await openDataSet(root).then(
      () => undefined,
      (thrown: CraneError) => thrown,
    );
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) });
  });
});

describe('annotations of tools', () => {
  const index = (file: string) =>
    indexAnnotated(root, join(root, file), { layout: 'auto', overwrite: false });

  it.each<[report: string, file: string, text: string]>([
    ['Mask_RCNN #2488: VIA', 'via_region_data.json', '{"1.png123":{"filename":"1.png","regions":[]}}'],
    [
      'label-studio #5899: brush labels',
      'project.json',
      '[{"id":1,"annotations":[{"result":[]}],"data":{}}]',
    ],
    ['cvat #8124: CVAT for images', 'annotations.xml', '<annotations><version>1.1</version></annotations>'],
  ])('%s is refused with what to export', async (_report, file, text) => {
    await plant(['1.png'], { [file]: text });
    await expect(index(file)).rejects.toMatchObject({
      code: 'E_DATA_ANNOTATIONS',
      hint: expect.stringContaining('export COCO'),
    });
  });

  it('darwin-py #1177: COCO without any annotation is said to be all normal', async () => {
    await plant(['1.png', '2.png'], {
      'a.json': JSON.stringify({
        images: [
          { id: 1, file_name: '1.png', width, height },
          { id: 2, file_name: '2.png', width, height },
        ],
        annotations: [],
        categories: [],
      }),
    });
    const { sets } = await index('a.json');
    expect(sets.test.warnings[0]).toMatch(/^nothing is drawn on any of the 2 pictures/);
  });
});
