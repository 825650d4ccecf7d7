import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CheckReport, checkDataSet } from '../../../src/data/check/check-data-set.js';
import { codeOf } from '../awaiting.js';
import { greyPng, makeRoot, makeTree, metaOf } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const check = (
  more: { stop?: AbortSignal; maxPixels?: number; layout?: string } = {},
): Promise<CheckReport> =>
  checkDataSet(root, {
    layout: 'auto',
    maxPixels: 1e6,
    stop: new AbortController().signal,
    onCount() {},
    onPicture() {},
    ...more,
  });

/** Kinds and paths of what was found. */
const found = ({ findings }: CheckReport) => findings.map(({ kind, paths }) => [kind, ...paths]);

const sound = async () => ({
  'good/0.png': await greyPng(10),
  'bad/1.png': await greyPng(20),
  'masks/1_mask.png': await greyPng(0, 16, 12, { value: 1, pixels: 5 }),
});

describe('data check', () => {
  it('finds nothing in a sound set', async () => {
    await makeTree(root, await sound());
    const seen: number[] = [];
    const report = await checkDataSet(root, {
      layout: 'auto',
      maxPixels: 1e6,
      stop: new AbortController().signal,
      onCount: (count) => seen.push(count),
      onPicture: () => seen.push(-1),
    });
    expect(report).toMatchObject({
      layout: 'one-class',
      faults: 0,
      warnings: 0,
      findings: [],
      notes: [],
      paper: null,
    });
    expect(report.test).toMatchObject({ normal: 1, anomalous: 1, withMask: 1 });
    expect(seen).toEqual([2, -1, -1]);
  });

  it('names missing files and paths that lead outside, and goes on with the others', async () => {
    const entry = (img_path: string, mask_path = '', anomaly = 0) => ({ img_path, mask_path, anomaly });
    const entries = [
      entry('good/0.png'),
      entry('good/gone.png'),
      entry('../out.png'),
      entry('bad/1.png', 'masks/gone.png', 1),
      entry('good', '', 0),
    ];
    await makeTree(root, { ...(await sound()), 'meta.json': metaOf({ cap: entries }) });
    const report = await check();
    expect(found(report)).toEqual([
      ['missing-picture', 'good/gone.png'],
      ['missing-picture', 'good'],
      ['missing-mask', 'masks/gone.png'],
      ['outside-root', '../out.png'],
      ['left-out', 'masks/1_mask.png'],
    ]);
    expect(report).toMatchObject({ faults: 4, warnings: 1, test: { normal: 1, anomalous: 1 } });
  });

  it('decodes every file to its end', async () => {
    const png = await greyPng(30, 64, 64, { value: 200, pixels: 999 });
    const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#348' } })
      .jpeg()
      .toBuffer();
    await makeTree(root, {
      ...(await sound()),
      'good/cut.jpg': jpeg.subarray(0, jpeg.length - 40),
      'good/empty.png': '',
      'good/text.png': 'text',
      'bad/2.png': await greyPng(21),
      'masks/2_mask.png': png.subarray(0, png.length - 30),
    });
    const report = await check();
    expect(found(report)).toEqual([
      ['damaged-picture', 'good/cut.jpg'],
      ['damaged-picture', 'good/empty.png'],
      ['damaged-picture', 'good/text.png'],
      ['damaged-mask', 'masks/2_mask.png'],
    ]);
    expect(report.findings[1]!.detail).toBe('the file has zero bytes [E_IMAGE_EMPTY]');
  });

  it('a picture beyond the limit of pixels is a fault, its mask is looked at all the same', async () => {
    await makeTree(root, {
      ...(await sound()),
      'bad/1.png': await greyPng(20, 40, 40),
      'masks/1_mask.png': await greyPng(0),
    });
    expect(found(await check({ maxPixels: 400 }))).toEqual([
      ['damaged-picture', 'bad/1.png'],
      ['empty-mask', 'masks/1_mask.png'],
    ]);
  });

  it('compares the sizes of masks and pictures', async () => {
    await makeTree(root, {
      ...(await sound()),
      'masks/1_mask.png': await greyPng(0, 12, 16, { value: 255, pixels: 9 }),
    });
    const report = await check();
    expect(found(report)).toEqual([['mask-size', 'masks/1_mask.png']]);
    expect(report.findings[0]!.detail).toBe(
      '12 x 16 pixels, expected 16 x 12 as its picture has [E_DATA_MASK_SIZE]',
    );
  });

  it.each([
    ['as it is stored', 20, 12],
    ['as it is shown', 12, 20],
  ])('a mask that fits a turned picture %s is fine', async (_, width, height) => {
    const turned = await sharp({ create: { width: 20, height: 12, channels: 3, background: '#888' } })
      .composite([
        { input: { create: { width: 20, height: 1, channels: 3, background: '#fff' } }, top: 0, left: 0 },
      ])
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    await makeTree(root, {
      'good/0.png': await greyPng(10),
      'bad/1.jpg': turned,
      'masks/1_mask.png': await greyPng(0, width, height, { value: 255, pixels: 9 }),
    });
    expect(found(await check())).toEqual([]);
  });

  it('reports empty masks, masks on normal pictures, pictures and masks without partner', async () => {
    await makeTree(root, {
      'good/0.png': await greyPng(10),
      'masks/0_mask.png': await greyPng(0, 16, 12, { value: 9, pixels: 9 }),
      'good/8.png': await greyPng(11),
      'masks/8_mask.png': await greyPng(0), // an empty mask of a normal picture says nothing wrong
      'bad/1.png': await greyPng(20),
      'masks/1_mask.png': await greyPng(0),
      'bad/2.png': await greyPng(21),
      'masks/7_mask.png': await greyPng(255),
    });
    const report = await check();
    expect(found(report)).toEqual([
      ['unused-ground-truth', 'masks/7_mask.png'],
      ['empty-mask', 'masks/1_mask.png'],
      ['mask-on-normal', 'good/0.png', 'masks/0_mask.png'],
      ['reading'],
    ]);
    expect(report).toMatchObject({
      faults: 1,
      warnings: 3,
      notes: ['1 of 2 anomalous pictures have no mask'],
    });
  });

  it('finds the same picture twice, and under both labels, by content', async () => {
    const [same, other] = [await greyPng(77), await greyPng(78)];
    await makeTree(root, {
      'good/a.png': same,
      'good/b.png': same,
      'good/c.png': other,
      'bad/d.png': other,
      'bad/e.png': await greyPng(79),
    });
    const report = await check();
    expect(found(report)).toEqual([
      ['same-picture-both-labels', 'bad/d.png', 'good/c.png'],
      ['same-picture', 'good/a.png', 'good/b.png'],
    ]);
    expect(report).toMatchObject({ faults: 1, warnings: 1 });
  });

  it('says when the same picture is in train and test, or listed twice', async () => {
    const entry = { img_path: 'a.png', anomaly: 0 };
    const meta = JSON.stringify({ train: { cap: [entry] }, test: { cap: [entry, entry] } });
    await makeTree(root, { 'meta.json': meta, 'a.png': await greyPng(5) });
    const [finding] = (await check()).findings;
    expect(finding).toMatchObject({
      kind: 'same-picture',
      detail: 'listed several times, in train and test',
    });
  });

  it("compares counts with the paper's, and says what differs", async () => {
    const files: Record<string, Buffer> = {};
    for (const [index, name] of ['01', '02', '03'].entries())
      files[`${name}/test/ok/0.png`] = await greyPng(index + 1);
    files['01/test/ko/0.png'] = await greyPng(99);
    await makeTree(root, files);
    const report = await check();
    expect(report.paper).toEqual({ name: 'btad', normal: 451, anomalous: 290, isEqual: false });
    expect(report.findings).toMatchObject([
      {
        kind: 'paper-counts',
        severity: 'warning',
        detail:
          "the paper's test split of btad has 451 normal and 290 anomalous pictures, this one 3 (-448) and 1 (-289)",
      },
    ]);
    await rm(join(root, '02'), { recursive: true });
    const part = await check();
    expect([part.paper, part.findings]).toEqual([null, []]);
    expect(part.notes[0]).toBe('2 of the 3 classes of btad: not compared with the paper');
  });

  it('equal counts are said to be equal', async () => {
    // 98 and 155 pictures of different greys and sizes.
    const files: Record<string, Buffer> = {};
    for (let index = 0; index < 253; index++)
      files[`brain_tumor_dataset/${index < 98 ? 'no' : 'yes'}/${index}.png`] = await greyPng(index + 1, 8, 8);
    await makeTree(root, files);
    const report = await check();
    expect(report).toMatchObject({ paper: { name: 'brainmri', isEqual: true }, faults: 0, warnings: 0 });
    expect(report.notes).toEqual(['no masks, so no pixel-level figures']);
  });

  it('stops when told to', async () => {
    await makeTree(root, await sound());
    expect(await codeOf(check({ stop: AbortSignal.abort() }))).toBe('E_CANCELLED');
  });

  it('a set without pictures is refused', async () => {
    await writeFile(join(root, 'meta.json'), metaOf({}));
    expect(await codeOf(check())).toBe('E_DATA_EMPTY');
  });

  it('a named pipe among the pictures keeps nobody waiting', async () => {
    await makeTree(root, await sound());
    await symlink('/dev/zero', join(root, 'good/zero.png'));
    expect(found(await check())).toEqual([]); // no regular file: no picture of the layout
    await writeFile(join(root, 'meta.json'), metaOf({ cap: [{ img_path: 'good/zero.png', anomaly: 0 }] }));
    expect(found(await check())).toEqual([
      ['outside-root', 'good/zero.png'],
      ['left-out', 'good/0.png'],
    ]);
  });
});
