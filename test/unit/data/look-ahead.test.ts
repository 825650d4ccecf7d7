/** What training, testing and calibration say of labels before they begin: the findings of `data check`, a line each. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookAhead } from '../../../src/data/check/look-ahead.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import { readingOf } from '../../../src/images/reading.js';
import { codeOf } from '../awaiting.js';
import { runInProcess } from '../cli/run-in-process.js';
import { greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const look = async (more: Partial<Parameters<typeof lookAhead>[1]> = {}) =>
  lookAhead(await openDataSet(root), { maxPixels: 1e6, reading: readingOf(), ...more });
const half = (pixels: number) => greyPng(0, 16, 12, { value: 255, pixels });

describe('labels', () => {
  it('that are as they should be need no word', async () => {
    await makeTree(root, {
      'test/part/good/0.png': await greyPng(10),
      'test/part/bad/1.png': await greyPng(20),
      'test/part/masks/1_mask.png': await half(5),
    });
    expect(await look()).toEqual([]);
  });

  it('are told by kind, faults first, with the command that tells all', async () => {
    const lossy = await sharp(await half(20))
      .jpeg()
      .toBuffer();
    const files: Record<string, Uint8Array> = {
      'test/part/good/0.png': await greyPng(10),
      'test/part/good/again.png': await greyPng(21),
      'test/part/masks/5_mask.jpg': lossy,
      'test/part/masks/6_mask.png': await greyPng(0, 8, 8),
      'test/part/masks/7_mask.png': new Uint8Array(3),
    };
    for (const [at, pixels] of [190, 100, 101, 0].entries())
      files[`test/part/masks/${at + 1}_mask.png`] = await half(pixels);
    for (let at = 1; at <= 7; at++) files[`test/part/bad/${at}.png`] = await greyPng(20 + at);
    await makeTree(root, files);
    expect(await look()).toEqual([
      expect.stringMatching(/^masks that cannot be read: 1, for instance .*7_mask\.png \(.*\[E_IMAGE_/),
      expect.stringMatching(/^masks of another size than their picture: 1, for instance .*6_mask\.png/),
      expect.stringMatching(/^the same picture as normal and as anomalous: 1, for instance /),
      expect.stringMatching(/^masks of anomalous pictures with nothing marked: 1, for instance .*4_mask/),
      expect.stringMatching(
        /^masks that mark nearly all of the picture.*: 1, .*1_mask\.png \(99\.0 % are marked\)/,
      ),
      expect.stringMatching(/^masks of more than half of the picture: 2, for instance .*2_mask/),
      expect.stringMatching(/^masks in JPEG .*: 1, for instance .*5_mask\.jpg/),
      `each of them, and what mends it: npx crane-native data check '${root}'`,
    ]);
    const rest = await look({ except: ['empty-mask', 'large-mask'] });
    expect(rest.filter((line) => /nothing marked|more than half/.test(line))).toEqual([]);
    expect(await codeOf(look({ signal: AbortSignal.abort() }))).toBe('E_CANCELLED');
  });

  it.each([
    [3, 16, 12],
    [6, 16, 16],
  ])(
    'of a picture that EXIF turns by %i fit both ways, here as in data check',
    async (orientation, width, height) => {
      await makeTree(root, {
        'test/part/good/0.png': await greyPng(10, width, height),
        'test/part/masks/1_mask.png': await greyPng(0, width, height, { value: 255, pixels: 5 }),
        'test/part/bad/1.jpg': await sharp(await greyPng(20, width, height))
          .withMetadata({ orientation })
          .jpeg()
          .toBuffer(),
      });
      expect(await look()).toEqual([
        expect.stringMatching(/^masks that fit a picture which EXIF turns both .*: 1, for instance .*1\.jpg/),
        expect.anything(),
      ]);
      const run = await runInProcess(['data', 'check', root]);
      expect(run.stdout).toContain('masks that fit a picture which EXIF turns');
      await writeFile(
        join(root, 'test/part/bad/1.jpg'),
        await sharp(await greyPng(20, width, height))
          .jpeg()
          .toBuffer(),
      );
      expect(await look()).toEqual([]);
    },
  );
});
