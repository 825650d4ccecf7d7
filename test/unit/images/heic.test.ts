import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { notInstalled } from '../../../src/files/optional-packages.js';
import { decodePicture } from '../../../src/images/decode.js';
import { isLossyFile } from '../../../src/images/lossy.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { measurePicture } from '../../../src/images/read-samples.js';
import { readingOf } from '../../../src/images/reading.js';
import { makeToyFolder } from '../engine/toy-model.js';

/** Four blocks of colour, 32 x 48: red, green, blue, white; made by another program (pillow-heif). */
const file = (name: string) => fileURLToPath(new URL(`pictures/${name}.heic`, import.meta.url));
const decode = (source: string | Uint8Array, more: { maxPixels?: number; exif?: boolean } = {}) =>
  decodePicture(toPictureSource(source), {
    maxPixels: more.maxPixels ?? 1e6,
    reading: readingOf({ compat: { exif: more.exif ?? true } }),
  });
const at = ({ data, width }: { data: ArrayLike<number>; width: number }, x: number, y: number) =>
  [0, 1, 2].map((channel) => data[3 * (y * width + x) + channel]!);
const near = (colour: number[]) => colour.map((value) => expect.closeTo(value, -1));

describe('HEIC (case C4)', () => {
  it('is read, in its colours', async () => {
    const picture = await decode(file('blocks'));
    expect([picture.mode, picture.width, picture.height]).toEqual(['RGB', 32, 48]);
    expect(at(picture, 5, 5)).toEqual(near([200, 30, 30]));
    expect(at(picture, 28, 5)).toEqual(near([30, 200, 30]));
    expect(at(picture, 5, 40)).toEqual(near([30, 30, 200]));
    expect(at(picture, 28, 40)).toEqual(near([220, 220, 220]));
    expect(await measurePicture(file('blocks'), true)).toEqual({ width: 32, height: 48 });
    expect((await decode(await readFile(file('blocks')))).data).toEqual(picture.data);
  });

  it('is turned as the file says, also where EXIF is not looked at', async () => {
    for (const exif of [true, false]) {
      const picture = await decode(file('blocks-turned'), { exif });
      expect([picture.width, picture.height]).toEqual([48, 32]);
      expect(at(picture, 5, 5)).toEqual(near([30, 30, 200]));
      expect(at(picture, 40, 5)).toEqual(near([200, 30, 30]));
      expect(await measurePicture(file('blocks-turned'), exif)).toEqual({ width: 48, height: 32 });
    }
  });

  it('with several pictures, too large or cut off is an error with a code', async () => {
    await expect(decode(file('two'))).rejects.toMatchObject({ code: 'E_IMAGE_ANIMATED' });
    await expect(decode(file('blocks'), { maxPixels: 1535 })).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
    });
    const bytes = await readFile(file('blocks'));
    for (const share of [0.1, 0.5, 0.9, 0.99])
      await expect(decode(bytes.subarray(0, Math.floor(bytes.length * share)))).rejects.toMatchObject({
        code: 'E_IMAGE_DECODE',
      });
  });

  it('of 10 bits keeps them until the range is known, and says so', async () => {
    // Red runs from 0 to 1023 over 64 columns, green over 48 rows.
    const picture = await decode(file('ten-bits'));
    expect(picture.levels).toMatchObject({ low: 0, high: 1023, bits: 10, from: 'tag' });
    for (const [x, y] of [
      [0, 10],
      [32, 10],
      [63, 47],
    ] as const)
      expect(at(picture, x, y)).toEqual(near([(x / 63) * 255, (y / 47) * 255, 128]));
    const narrow = await decodePicture(toPictureSource(file('ten-bits')), {
      maxPixels: 1e6,
      reading: readingOf({ valueRange: { low: 512, high: 514 } }),
    });
    // Two of 1024 levels: of 8 bits nothing of that would be left.
    expect(new Set(narrow.data).size).toBe(3);
  });

  it('is decoded on another thread, which keeps no process alive', async () => {
    const built = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href);
    const program = `
      import { createRequire } from 'node:module';
      import { decodePicture } from ${built('images/decode.js')};
      import { toPictureSource } from ${built('images/picture-input.js')};
      import { readingOf } from ${built('images/reading.js')};
      const source = toPictureSource(${JSON.stringify(file('blocks'))});
      const decode = () => decodePicture(source, { maxPixels: 1e6, reading: readingOf() });
      const pending = Promise.all([decode(), decode()]);
      const [one, two] = await pending;
      const loaded = Object.keys(createRequire(${built('index.js')}).cache).filter((path) => path.includes('heif'));
      const alive = process.getActiveResourcesInfo().filter((name) => /worker|port/i.test(name));
      console.log(JSON.stringify([one.data.length, Buffer.compare(one.data, two.data), loaded, alive]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(JSON.parse(stdout)).toEqual([4608, 0, [], []]);
  });

  it('as a mask is one of lost values', async () => {
    expect(await isLossyFile(file('blocks'))).toBe(true);
  });

  it('without its package names it, and that no package of ours brings it', () => {
    expect(notInstalled('reading HEIC (a.heic)', ['libheif-js']).hint).toMatch(
      /^npm install libheif-js@[\d.]+$/,
    );
    expect(notInstalled('x', ['sharp']).hint).toContain('crane-native, which brings everything');
  });
});

it('JPEG within a TIFF loses values, other TIFFs keep them', async () => {
  const folder = await makeToyFolder();
  const sharp = (await import('sharp')).default;
  const grey = sharp(Buffer.alloc(64 * 64, 200), { raw: { width: 64, height: 64, channels: 1 } });
  for (const [compression, isLossy] of [
    ['jpeg', true],
    ['deflate', false],
    ['none', false],
  ] as const) {
    await writeFile(join(folder, 'mask.tif'), await grey.clone().tiff({ compression }).toBuffer());
    expect(await isLossyFile(join(folder, 'mask.tif'))).toBe(isLossy);
  }
  await rm(folder, { recursive: true });
});
