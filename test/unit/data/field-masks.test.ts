/**
 * C6, C7: one mask saved in each of the ways in which people's programs save masks. All of them mark the same pixels, or
 * `data check` says what is wrong.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { labelMask } from '../../../src/data/label-mask.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import { booleanTiff, bytesOf, makeTiff } from '../images/make-tiff.js';
import { checkFolder, greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const [width, height] = [64, 48];
const isMarked = (x: number, y: number) => x >= 16 && x < 40 && y >= 16 && y < 32;
const mask = Array.from({ length: width * height }, (_, at) => isMarked(at % width, Math.floor(at / width)));

/** Each pixel's channels by whether it is marked. */
const raw = (of: (marked: boolean) => readonly number[]) => {
  const channels = of(true).length as 1 | 2 | 3 | 4;
  const data = Buffer.from(mask.flatMap((marked) => [...of(marked)]));
  return sharp(data, { raw: { width, height, channels } });
};
const grey = (high: number, low = 0) => raw((marked) => [marked ? high : low]).toColourspace('b-w');
const words = (type: 'f32' | 'i32' | 'u16', value: number) => {
  const values = mask.map((marked) => (marked ? value : 0));
  const [strip, bits, format] =
    type === 'f32'
      ? [bytesOf(Float32Array.from(values)), 32, 3]
      : type === 'i32'
        ? [bytesOf(Uint32Array.from(values)), 32, 2]
        : [bytesOf(Uint16Array.from(values)), 16, 1];
  return makeTiff({ width, height, bits: [bits], strips: [strip], tags: { 339: [format] } });
};
const pgm = () =>
  Buffer.concat([
    Buffer.from(`P5 ${width} ${height} 255\n`),
    Buffer.from(mask.map((one) => (one ? 255 : 0))),
  ]);

/** An indexed PNG: two colours, marked is the second. */
const palette = (background: string, marked: string) =>
  sharp(Buffer.from(mask.flatMap((one) => [...Buffer.from(one ? marked : background, 'hex')])), {
    raw: { width, height, channels: 3 },
  })
    .png({ palette: true, colours: 2, dither: 0 })
    .toBuffer();

const forms: [name: string, ending: string, make: () => Promise<Uint8Array> | Uint8Array][] = [
  ['8-bit PNG of 0 and 255', 'png', () => grey(255).png().toBuffer()],
  ['8-bit PNG of 0 and 1', 'png', () => grey(1).png().toBuffer()],
  ['1-bit palette', 'png', () => palette('000000', 'ffffff')],
  ["VOC's palette", 'png', () => palette('000000', '800000')],
  ['TIFF', 'tif', () => grey(255).tiff({ compression: 'lzw' }).toBuffer()],
  ['boolean TIFF', 'tif', () => booleanTiff(width, height, isMarked)],
  ['floating-point TIFF of 0 and 1', 'tif', () => words('f32', 1)],
  ['32-bit TIFF of 0 and 1', 'tif', () => words('i32', 1)],
  ['16-bit TIFF of labels', 'tif', () => words('u16', 1000)],
  ['JPEG of quality 95', 'jpg', () => grey(255).jpeg({ quality: 95 }).toBuffer()],
  ['JPEG of quality 75', 'jpg', () => grey(255).jpeg({ quality: 75 }).toBuffer()],
  [
    'lossless WebP',
    'webp',
    () =>
      raw((one) => (one ? [255, 255, 255] : [0, 0, 0]))
        .webp({ lossless: true })
        .toBuffer(),
  ],
  [
    'RGB',
    'png',
    () =>
      raw((one) => (one ? [255, 255, 255] : [0, 0, 0]))
        .png()
        .toBuffer(),
  ],
  [
    'RGB label in red',
    'png',
    () =>
      raw((one) => [Number(one), 0, 0])
        .png()
        .toBuffer(),
  ],
  [
    'RGB label in blue',
    'png',
    () =>
      raw((one) => [0, 0, Number(one)])
        .png()
        .toBuffer(),
  ],
  [
    'white, transparent where normal',
    'png',
    () =>
      raw((one) => [255, 255, 255, one ? 255 : 0])
        .png()
        .toBuffer(),
  ],
  [
    'black, opaque where anomalous',
    'png',
    () =>
      raw((one) => [0, 0, 0, one ? 255 : 0])
        .png()
        .toBuffer(),
  ],
  [
    'red and half transparent',
    'png',
    () =>
      raw((one) => (one ? [255, 0, 0, 127] : [0, 0, 0, 0]))
        .png()
        .toBuffer(),
  ],
  ['GIF', 'gif', () => grey(255).gif().toBuffer()],
  ['PGM', 'pgm', pgm],
];

it.each(forms)('C6, C7: %s marks what was drawn', async (_name, ending, make) => {
  await makeTree(root, { [`mask.${ending}`]: await make() });
  const { data } = await labelMask(join(root, `mask.${ending}`));
  expect([...data].map((value) => value > 0)).toEqual(mask);
});

it.each(['_mask', '_gt', '_GT', '-mask', '_seg', '_Mask', '.mask', '', '.png'])(
  'C3: NAME%s is the mask of NAME',
  async (suffix) => {
    await makeTree(root, {
      'good/0.png': await greyPng(1, width, height),
      'bad/1.png': await greyPng(2, width, height),
      [`masks/1${suffix}.png`]: await grey(255).png().toBuffer(),
    });
    const { items } = await openDataSet(root);
    expect(items.map(({ maskPath }) => maskPath).sort()).toEqual([`masks/1${suffix}.png`, null]);
  },
);

it.each([
  ['inverted', 'png', () => grey(0, 255).png().toBuffer(), 'large-mask'],
  ['a white palette', 'png', () => palette('ffffff', 'ff0000'), 'full-mask'],
  ['a background of 1', 'png', () => grey(255, 1).png().toBuffer(), 'full-mask'],
  [
    'half the size',
    'png',
    () =>
      grey(255)
        .resize(width / 2, height / 2, { kernel: 'nearest' })
        .png()
        .toBuffer(),
    'mask-size',
  ],
  ['nothing', 'png', () => grey(0).png().toBuffer(), 'empty-mask'],
  [
    'several frames',
    'gif',
    () => readFile(new URL('../images/pictures/refused_frames.gif', import.meta.url)),
    'damaged-mask',
  ],
] as const)('C6: %s is a finding with what mends it', async (_name, ending, make, kind) => {
  await makeTree(root, {
    'good/0.png': await greyPng(1, width, height),
    'bad/1.png': await greyPng(2, width, height),
    [`masks/1_mask.${ending}`]: await make(),
  });
  const { findings } = await checkFolder(root);
  const found = findings.filter((one) => one.kind === kind);
  expect(found.map(({ paths, mend }) => [paths, typeof mend])).toEqual([
    [[`masks/1_mask.${ending}`], 'string'],
  ]);
});
