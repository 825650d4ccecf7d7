import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelMask, markedShare, maskOfPicture } from '../../../src/data/label-mask.js';
import { plainMasks } from '../../../src/data/plain-masks.js';
import { codeOf } from '../awaiting.js';
import { greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const colours = (values: number[][], side = 8) => {
  const data = Buffer.alloc(side * side * values[0]!.length);
  for (const [pixel, channels] of values.entries()) data.set(channels, pixel * channels.length);
  return sharp(data, { raw: { width: side, height: side, channels: values[0]!.length as 3 | 4 } })
    .png()
    .toBuffer();
};
const read = async (bytes: Uint8Array) => {
  await writeFile(join(root, 'mask.png'), bytes);
  return labelMask(join(root, 'mask.png'));
};
const readAs = async (name: string, bytes: Uint8Array, maskGrey = false) => {
  await writeFile(join(root, name), bytes);
  return labelMask(join(root, name), { maskGrey });
};

describe('a mask', () => {
  it('keeps the grey values of every depth, so that 1 is still above 0', async () => {
    const mask = await read(await greyPng(0, 9, 8, { value: 1, pixels: 3 }));
    expect(mask).toMatchObject({ width: 9, height: 8, mode: 'L' });
    expect([...mask.data.subarray(0, 4)]).toEqual([1, 1, 1, 0]);
  });

  it('of 16 bits is clipped, not scaled', async () => {
    const data = new Uint16Array(64);
    data.set([1, 255, 256, 65535]);
    const png = await sharp(data, { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const mask = await read(png);
    expect([...mask.data.subarray(0, 5)]).toEqual([1, 255, 255, 255, 0]);
  });

  it('of one bit is 0 and 255', async () => {
    const png = await sharp(await greyPng(0, 8, 8, { value: 255, pixels: 2 }))
      .png({ palette: true, colours: 2 })
      .toBuffer();
    expect([...(await read(png)).data.subarray(0, 3)]).toEqual([255, 255, 0]);
  });

  const k_colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [0, 0, 4],
    [0, 0, 5],
    [1, 1, 1],
  ];

  it('C6: in colours counts by any channel above 0', async () => {
    const mask = await read(await colours([...k_colours, [0, 0, 1]]));
    expect([...mask.data.subarray(0, 8)]).toEqual([255, 255, 255, 4, 5, 1, 1, 0]);
  });

  it('C6: of one colour counts by what is opaque; of several by its colours', async () => {
    const white = await colours(
      Array.from({ length: 64 }, (_, at) => [255, 255, 255, at < 2 ? 255 : at < 3 ? 9 : 0]),
    );
    expect([...(await read(white)).data.subarray(0, 4)]).toEqual([255, 255, 9, 0]);
    const black = await colours(Array.from({ length: 64 }, (_, at) => [0, 0, 0, at < 2 ? 255 : 0]));
    expect([...(await read(black)).data.subarray(0, 3)]).toEqual([255, 255, 0]);
    const opaque = await colours(Array.from({ length: 64 }, () => [0, 0, 0, 255]));
    expect(await markedShare(await read(opaque))).toBe(0);
    const red = await colours(
      Array.from({ length: 64 }, (_, at) => (at < 2 ? [255, 0, 0, 127] : [0, 0, 0, 255])),
    );
    expect([...(await read(red)).data.subarray(0, 3)]).toEqual([255, 255, 0]);
  });

  it('C7: in JPEG and lossy WebP is cut at half of its highest value, lossless WebP is not', async () => {
    const [side, inside] = [64, 24];
    const data = Buffer.alloc(side * side);
    for (let y = 20; y < 20 + inside; y++) data.fill(255, y * side + 20, y * side + 20 + inside);
    const source = sharp(data, { raw: { width: side, height: side, channels: 1 } });
    const areaOf = (mask: { data: Uint8Array }) =>
      mask.data.reduce((sum, value) => sum + Number(value > 0), 0);
    const jpeg = await source.clone().jpeg({ quality: 75 }).toBuffer();
    const lossy = await source.clone().webp({ quality: 60 }).toBuffer();
    const lossless = await source.clone().webp({ lossless: true }).toBuffer();
    expect(areaOf(await readAs('a.jpg', jpeg))).toBe(inside * inside);
    expect(Math.abs(areaOf(await readAs('a.webp', lossy)) - inside * inside)).toBeLessThan(20);
    expect(areaOf(await readAs('b.webp', lossless))).toBe(inside * inside);
    // As the reference has it, the noise around the edges is marked too.
    expect(areaOf(await readAs('a.jpg', jpeg, true))).toBeGreaterThan(1.1 * inside * inside);
    const one = sharp(Buffer.alloc(64, 1), { raw: { width: 8, height: 8, channels: 1 } });
    expect(areaOf(await readAs('c.webp', await one.webp({ lossless: true }).toBuffer()))).toBe(64);
  });

  it('with maskGrey becomes grey as Pillow does it: faint blue is nothing, alpha does not count', async () => {
    // (19595 R + 38470 G + 7471 B + 32768) >> 16
    const mask = await readAs('m.png', await colours(k_colours), true);
    expect([...mask.data.subarray(0, 6)]).toEqual([76, 150, 29, 0, 1, 1]);
    const pixels = [
      [9, 9, 9, 1],
      [0, 0, 0, 255],
    ];
    expect([...(await readAs('m.png', await colours(pixels), true)).data.subarray(0, 2)]).toEqual([9, 0]);
  });

  it('is empty only when nothing at all is marked', async () => {
    expect(await markedShare(await read(await greyPng(0)))).toBe(0);
    expect(await markedShare({ data: Uint8Array.of(0, 0, 1) })).toBeCloseTo(1 / 3, 9);
  });
});

describe('a mask and its picture', () => {
  // Two rows of other values mark where the upper left corner went.
  const stored = { width: 20, height: 12 };
  const makePair = async (orientation: number, width: number, height: number) => {
    const picture = await sharp({ create: { ...stored, channels: 3, background: '#777' } })
      .withMetadata({ orientation })
      .jpeg()
      .toBuffer();
    await makeTree(root, {
      'p.jpg': picture,
      'm.png': await greyPng(0, width, height, { value: 200, pixels: 2 * width + 5 }),
    });
    const size = orientation >= 5 ? { width: 12, height: 20 } : stored;
    return { mask: join(root, 'm.png'), picture: { path: join(root, 'p.jpg'), ...size } };
  };

  it.each([5, 6, 7, 8])('is turned with a picture of EXIF orientation %i', async (orientation) => {
    const { mask, picture } = await makePair(orientation, 20, 12);
    const turned = await maskOfPicture({ masks: [mask] }, picture);
    const tagged = await sharp(mask).withMetadata({ orientation }).png().toBuffer();
    const wanted = await sharp(tagged).autoOrient().toColourspace('b-w').raw().toBuffer();
    expect([turned.width, turned.height]).toEqual([12, 20]);
    expect(Buffer.from(turned.data).equals(wanted)).toBe(true);
  });

  it('is left alone when it fits the picture as it is shown', async () => {
    const { mask, picture } = await makePair(6, 12, 20);
    expect(await maskOfPicture({ masks: [mask] }, picture)).toEqual(await labelMask(mask));
  });

  it('is refused when it fits neither, or only by turning what no EXIF turns', async () => {
    const neither = await makePair(6, 20, 13);
    expect(await codeOf(maskOfPicture({ masks: [neither.mask] }, neither.picture))).toBe('E_DATA_MASK_SIZE');
    const unturned = await makePair(1, 12, 20);
    expect(await codeOf(maskOfPicture({ masks: [unturned.mask] }, unturned.picture))).toBe(
      'E_DATA_MASK_SIZE',
    );
  });

  it('is compared as stored where EXIF is ignored', async () => {
    const { mask, picture } = await makePair(6, 20, 12);
    const asStored = { ...picture, ...stored };
    expect((await maskOfPicture({ masks: [mask] }, asStored, { exif: false })).width).toBe(20);
    expect(await codeOf(maskOfPicture({ masks: [mask] }, picture, { exif: false }))).toBe('E_DATA_MASK_SIZE');
  });

  it('four quarter turns are none', async () => {
    const grey = {
      data: Uint8Array.from({ length: 6 }, (_, at) => at),
      width: 3,
      height: 2,
      mode: 'L' as const,
    };
    let turned = grey;
    for (let turn = 0; turn < 4; turn++) {
      const data = await plainMasks.turnMask(turned, 6);
      turned = { ...turned, data: Uint8Array.from(data), width: turned.height, height: turned.width };
    }
    expect(turned).toEqual(grey);
    expect([...(await plainMasks.turnMask(grey, 6))]).toEqual([3, 0, 4, 1, 5, 2]);
  });
});

describe('masks of more pixels than one slice', () => {
  const [width, height] = [700, 430];
  const noise = (seed: number) =>
    Uint8Array.from({ length: width * height * 3 }, (_, at) =>
      ((at + seed) * 2654435761) >>> 29 === 0 ? at : 0,
    );
  const write = async (name: string, data: Uint8Array) => {
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(root, name));
    return join(root, name);
  };
  const highest = (data: Uint8Array) =>
    Uint8Array.from({ length: width * height }, (_, at) => Math.max(...data.subarray(3 * at, 3 * at + 3)));

  it('are united pixel by pixel', async () => {
    const [a, b] = [noise(1), noise(2)];
    const masks = [await write('a.png', a), await write('b.png', b)];
    const united = await maskOfPicture({ masks }, { path: masks[0]!, width, height });
    const [ofA, ofB] = [highest(a), highest(b)];
    const expected = ofA.map((value, at) => Math.max(value, ofB[at]!));
    expect(Buffer.compare(united.data as Uint8Array, expected)).toBe(0);
    const marked = expected.filter((value) => value > 0).length / (width * height);
    expect(await markedShare(united as { data: Uint8Array })).toBe(marked);
  });

  it('turn to the same pixels and back', async () => {
    const grey = { data: highest(noise(3)), width, height, mode: 'L' as const };
    const turned = await plainMasks.turnMask(grey, 6);
    for (const [x, y] of [
      [0, 0],
      [699, 429],
      [350, 200],
      [1, 428],
    ] as const)
      expect(turned[x * height + (height - 1 - y)], `${x} ${y}`).toBe(grey.data[y * width + x]);
    const back = await plainMasks.turnMask({ data: turned, width: height, height: width, mode: 'L' }, 8);
    expect(Buffer.compare(back, grey.data)).toBe(0);
  });
});
