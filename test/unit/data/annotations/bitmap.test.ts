/** Masks that stand in a file of labelme as pictures of their own. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexAnnotated } from '../../../../src/data/index-annotated.js';
import { labelMask } from '../../../../src/data/label-mask.js';
import { makePng } from '../../images/make-png.js';
import { greyPng, makeRoot, makeTree } from '../tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const [width, height] = [20, 16];

async function write(mask: Uint8Array | string, [x, y]: [number, number]): Promise<void> {
  const text = typeof mask === 'string' ? mask : Buffer.from(mask).toString('base64');
  const shapes = [{ label: 'pit', points: [[x, y]], shape_type: 'mask', mask: text }];
  await makeTree(root, {
    '1.png': await greyPng(90, width, height),
    '1.json': JSON.stringify({ shapes, imagePath: '1.png' }),
  });
}
const index = (more = {}) => indexAnnotated(root, root, { layout: 'auto', overwrite: false, ...more });
const errorOf = (more = {}) =>
  index(more).then(
    () => undefined,
    ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
  );
/** "x,y" of what is marked. */
async function marked(): Promise<string[]> {
  const { data } = await labelMask(join(root, 'masks/1_mask.png'));
  return [...data.keys()]
    .filter((pixel) => data[pixel]! > 0)
    .map((pixel) => `${pixel % width},${Math.floor(pixel / width)}`);
}
const pngOf = (pixels: number[], columns: number, channels: 1 | 3 | 4) =>
  sharp(Buffer.from(pixels), {
    raw: { width: columns, height: pixels.length / columns / channels, channels },
  })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();

describe('a mask', () => {
  it.each<[string, number[], number, 1 | 3 | 4, [number, number], string[]]>([
    ['of one pixel', [1], 1, 1, [3, 4], ['3,4']],
    ['of few', [0, 7, 255, 0, 0, 1], 3, 1, [3.9, 4], ['4,4', '5,4', '5,5']],
    ['that reaches out on the left and above', Array(9).fill(1), 3, 1, [-2, -1], ['0,0', '0,1']],
    ['that reaches out on the right and below', Array(9).fill(1), 3, 1, [18, 15], ['18,15', '19,15']],
    ['that lies outside', Array(9).fill(1), 3, 1, [400, -500], []],
    ['that lies anywhere', Array(9).fill(1), 3, 1, [1e300, 2], []],
    ['in colours, however dark', [0, 0, 0, 0, 0, 1], 2, 3, [5, 6], ['6,6']],
    ['with alpha', [0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 255], 3, 4, [5, 6], ['6,6']],
  ])('%s is laid at its place', async (_, pixels, columns, channels, place, want) => {
    await write(await pngOf(pixels, columns, channels), place);
    await index();
    expect(await marked()).toEqual(want);
  });

  it('of one bit a pixel is too', async () => {
    // Two rows of three, each behind the number of its filter.
    const rows = Uint8Array.from([0, 0b01000000, 0, 0b10100000]);
    await write(makePng({ width: 3, height: 2 }, { bits: 1, colourType: 0 }, rows), [2, 3]);
    await index();
    expect(await marked()).toEqual(['3,3', '2,4', '4,4']);
  });
});

describe('what is no such mask', () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  it.each<[string, () => Promise<Uint8Array | string>]>([
    ['no picture', async () => 'AAAA'],
    ['nothing but padding', async () => '===='],
    ['an SVG', async () => Buffer.from(svg)],
    [
      'a JPEG',
      async () =>
        sharp(await greyPng(9, 8, 8))
          .jpeg()
          .toBuffer(),
    ],
  ])('%s is refused before anything is written, with the file that holds it', async (_, mask) => {
    await write(await mask(), [1, 1]);
    expect(await errorOf()).toMatch(/^E_DATA_ANNOTATIONS .*1\.json: the mask of pit is no PNG/);
    expect((await readdir(root)).sort()).toEqual(['1.json', '1.png']);
  });

  it('a PNG that is damaged, or animated, is refused with its picture', async () => {
    const whole = await greyPng(9, 8, 8);
    await write(whole.subarray(0, whole.length - 20), [1, 1]);
    expect(await errorOf()).toMatch(/^E_DATA_ANNOTATIONS 1\.png: the mask of pit: damaged/);
    const frames = { name: 'acTL', bytes: Uint8Array.from([0, 0, 0, 2, 0, 0, 0, 0]) };
    const rows = new Uint8Array(8 * 9);
    const animated = makePng({ width: 8, height: 8 }, { bits: 8, colourType: 0 }, rows, { before: [frames] });
    await write(animated, [1, 1]);
    expect(await errorOf()).toMatch(/^E_DATA_ANNOTATIONS 1\.png: the mask of pit: has 2 frames/);
  });

  it('one that is larger than a picture may be is refused by what it states', async () => {
    const rows = new Uint8Array(100);
    await write(makePng({ width: 30_000, height: 30_000 }, { bits: 8, colourType: 0 }, rows), [1, 1]);
    expect(await errorOf()).toMatch(
      /^E_IMAGE_TOO_LARGE 1\.png: the mask of pit: 30000 x 30000 pixels, the limit is 100000000/,
    );
    await write(
      makePng({ width: 21, height: 16 }, { bits: 8, colourType: 0 }, new Uint8Array(22 * 16)),
      [1, 1],
    );
    expect(await errorOf({ maxPixels: 320 })).toMatch(/^E_IMAGE_TOO_LARGE 1\.png: the mask of pit: 21 x 16/);
    expect(await errorOf({ maxPixels: 336 })).toBeUndefined();
  });
});
