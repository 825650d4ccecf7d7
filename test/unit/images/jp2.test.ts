/** JPEG 2000 (case C4); the files are made by Pillow in scripts/fixtures/make_field.py. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { labelMask } from '../../../src/data/label-mask.js';
import { CraneError } from '../../../src/errors.js';
import { notInstalled } from '../../../src/files/optional-packages.js';
import { decodePicture } from '../../../src/images/decode.js';
import { jp2Package } from '../../../src/images/jp2-reader.js';
import { isLossyFile } from '../../../src/images/lossy.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { measurePicture } from '../../../src/images/read-samples.js';
import { readingOf } from '../../../src/images/reading.js';

const file = (name: string) => fileURLToPath(new URL(`field/${name}`, import.meta.url));
const decode = (source: string | Uint8Array, maxPixels = 1e6) =>
  decodePicture(toPictureSource(source), { maxPixels, reading: readingOf() });
const errorOf = (source: string | Uint8Array, maxPixels?: number) =>
  decode(source, maxPixels).then(
    () => new Error('no error'),
    (thrown: Error & Partial<CraneError>) => thrown,
  );

const [width, height] = [12, 10];
const grey = Array.from({ length: width * height }, (_, at) => (at * 2) % 256);
const rgb = grey.flatMap((level) => [level, 255 - level, Math.floor(level / 2)]);

describe('JPEG 2000 (case C4)', () => {
  it.each([
    ['grey.jp2', 'L', grey],
    ['grey16.jp2', 'L', grey],
    ['rgb.jp2', 'RGB', rgb],
    ['rgb.j2k', 'RGB', rgb],
  ])('%s is read value by value', async (name, mode, values) => {
    const picture = await decode(file(name));
    expect([picture.mode, picture.width, picture.height, [...picture.data]]).toEqual([
      mode,
      width,
      height,
      values,
    ]);
    expect(await measurePicture(file(name), true)).toEqual({ width, height });
  });

  it('of 16 bits says what was used', async () => {
    expect((await decode(file('grey16.jp2'))).levels).toEqual({
      low: 0,
      high: 65535,
      bits: 16,
      from: 'container',
    });
  });

  it('says nothing on the standard output, which belongs to results', async () => {
    const written: unknown[] = [];
    const log = console.log;
    console.log = (...what) => void written.push(...what);
    await decode(file('rgb.jp2')).finally(() => {
      console.log = log;
    });
    expect(written).toEqual([]);
  });

  it('as a mask loses values by its wavelet only', async () => {
    expect([await isLossyFile(file('mask.jp2')), await isLossyFile(file('mask_lossy.jp2'))]).toEqual([
      false,
      true,
    ]);
    for (const name of ['mask.jp2', 'mask_lossy.jp2']) {
      const { data } = await labelMask(file(name));
      expect(data.reduce((sum, value) => sum + Number(value > 0), 0)).toBe(12);
    }
  });

  it('with alpha, above the limit of pixels, or without its package is an error with a code', async () => {
    expect(await errorOf(file('rgba.jp2'))).toMatchObject({
      code: 'E_IMAGE_FORMAT',
      message: expect.stringMatching(/^.*rgba\.jp2: a JPEG 2000 of a form that is not read: 4 bands$/),
    });
    expect(await errorOf(file('rgb.jp2'), 119)).toMatchObject({ code: 'E_IMAGE_TOO_LARGE' });
    const { hint } = notInstalled('reading JPEG 2000', [jp2Package]);
    expect(hint).toMatch(/^npm install @cornerstonejs\/codec-openjpeg@[\d.]+$/);
  });

  it('cut off anywhere, or with any byte changed, is a picture of its size or an error with a code', async () => {
    const whole = await readFile(file('grey.jp2'));
    for (let length = 1; length < whole.length - 2; length += 7)
      expect(await errorOf(whole.subarray(0, length))).toBeInstanceOf(CraneError);
    for (let at = 0; at < whole.length; at += 3) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 0x55;
      const outcome = await decode(changed, 1e6).catch((thrown: unknown) => thrown);
      if (!(outcome instanceof CraneError))
        expect(outcome).toMatchObject({ data: expect.objectContaining({ length: expect.any(Number) }) });
    }
  });
});
