/** Which pictures a calibration with normal pictures alone takes: never one that is known to be anomalous. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CalibrationChoice, calibrationPictures } from '../../../src/calibrate/pictures.js';
import { greyPng, makeRoot, makeTree, metaOf } from '../data/tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const taken = async (path = '.', choice: Partial<CalibrationChoice> = {}) => {
  const given = { normalOnly: true, split: undefined, layout: 'auto', ...choice };
  const { items } = await calibrationPictures(join(root, path), given);
  return items.map(({ imagePath }) => imagePath).sort();
};

describe('normal pictures alone', () => {
  it('are those of a data set, of train before test', async () => {
    await makeTree(root, ['train/good/0.png', 'test/good/1.png', 'test/bad/2.png']);
    expect(await taken()).toEqual(['train/good/0.png']);
    expect(await taken('.', { split: 'test' })).toEqual(['test/good/1.png']);
  });

  it('are all of a folder that says nothing of labels, whatever folders are in it', async () => {
    await makeTree(root, ['0.png', '1.png', 'bad parts.zip']);
    expect(await taken()).toHaveLength(2);
    await makeTree(root, ['monday/2.png']);
    expect(await taken()).toHaveLength(3);
  });

  it.each<[string, string[], Partial<CalibrationChoice>, string]>([
    ['a split that a data set lacks', ['good/0.png', 'bad/1.png'], { split: 'train' }, 'E_CALIBRATE_TOO_FEW'],
    [
      'a data set without normal pictures',
      ['test/good/.keep', 'test/bad/1.png'],
      { layout: 'mvtec' },
      'E_CALIBRATE_TOO_FEW',
    ],
    ['data sets below', ['a/good/0.png', 'a/bad/1.png', 'b/good/0.png', 'b/bad/1.png'], {}, 'E_DATA_LAYOUT'],
    ['a split of no data set', ['0.png', '1.png'], { split: 'test' }, 'E_DATA_LAYOUT'],
    ['labels for no data set', ['0.png', '1.png'], { normalFolder: ['x'] }, 'E_DATA_LAYOUT'],
    [
      'a folder whose name says anomalous, below one that says nothing',
      ['0.png', 'monday/1.png', 'monday/night/rejects/2.png'],
      {},
      'E_DATA_LABELS',
    ],
  ])('are never guessed: %s', async (_, files, choice, code) => {
    await makeTree(root, files);
    await expect(taken('.', choice)).rejects.toMatchObject({ code });
  });

  it('are none of an index of anomalous ones, and the index is no picture', async () => {
    await makeTree(root, {
      'bad/1.png': await greyPng(1),
      'meta.json': metaOf({ cap: [{ img_path: 'bad/1.png', anomaly: 1 }] }),
    });
    for (const path of ['.', 'meta.json'])
      await expect(taken(path)).rejects.toMatchObject({
        code: 'E_CALIBRATE_TOO_FEW',
        message: expect.stringContaining('has no normal picture'),
      });
  });
});
