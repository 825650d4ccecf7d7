import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { type DecodedPicture, decodeMask, decodePicture } from '../../../src/images/decode.js';
import { levelOf, toLevels } from '../../../src/images/levels.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';
import type { SampleArray, Samples, StatedRange } from '../../../src/images/samples.js';

const width = 32;
const height = 16;
/** Every level once or twice. */
const grey = Uint8Array.from({ length: width * height }, (_, at) => (at * 7) % 256);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane levels '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function png(values: readonly number[] | Uint8Array, channels: 1 | 2 | 3 | 4 = 1): Promise<Buffer> {
  const data = Uint16Array.from(values);
  const picture = sharp(data, { raw: { width, height, channels } });
  return picture
    .toColourspace(channels < 3 ? 'grey16' : 'rgb16')
    .png()
    .toBuffer();
}

const decode = (input: unknown, reading: Partial<Reading> = {}): Promise<DecodedPicture> =>
  decodePicture(toPictureSource(input), { maxPixels: 1e6, reading: { ...readingOf(), ...reading } });

const errorOf = (work: Promise<unknown>): Promise<CraneError> =>
  work.then(
    () => {
      throw new Error('no error');
    },
    (error: CraneError) => error,
  );

describe('the same picture in another number of bits has the same 8 bits (case C1)', () => {
  it.each([
    ['16 bits', (value: number) => value * 257, {}],
    ['16 bits, low byte empty', (value: number) => value * 256, {}],
    ['Mono12 at the upper end', (value: number) => (value * 16) << 4, {}],
    ['Mono12 at the lower end, stated', (value: number) => value * 16, { bitDepth: 12 }],
    ['Mono10 at the lower end, stated', (value: number) => value * 4 + 3, { bitDepth: 10 }],
    ['8 bits in 16, stated', (value: number) => value, { bitDepth: 8 }],
    [
      'a stated range of values',
      (value: number) => value * 10 + 100,
      { valueRange: { low: 100, high: 2650 } },
    ],
  ])('%s', async (_, widen, reading) => {
    const picture = await decode(await png(Array.from(grey, widen)), reading);
    expect(picture.mode).toBe('L');
    expect(picture.data).toEqual(grey);
  });

  it('also in colour, and its alpha does not count as a value', async () => {
    const rgb = Array.from(grey).flatMap((value) => [value * 16, 255 * 16 - value * 16, 0]);
    const rgba = Array.from(grey).flatMap((value) => [value * 16, 255 * 16 - value * 16, 0, 65535]);
    const colours = Array.from(grey).flatMap((value) => [value, 255 - value, 0]);
    const opaque = Array.from(grey).flatMap((value) => [value, 255 - value, 0, 255]);
    expect([...(await decode(await png(rgb, 3), { bitDepth: 12 })).data]).toEqual(colours);
    const withAlpha = await decode(await png(rgba, 4), { bitDepth: 12 });
    expect([withAlpha.mode, [...withAlpha.data]]).toEqual(['RGBA', opaque]);
    expect((await decode(await png(rgba, 4))).notes).toMatchObject([{ kind: 'bit-depth', bits: 12 }]);
  });

  it('and pixels of the library as well', async () => {
    const data = Uint16Array.from(grey, (value) => value * 16);
    const raw = { data, width, height, channels: 1 };
    expect((await decode(raw, { bitDepth: 12 })).data).toEqual(grey);
  });

  it('is white above 255 with compat.grey16, as in the reference', async () => {
    const picture = await decode(await png(Array.from(grey, (value) => value * 16)), { grey16: true });
    expect(picture).toMatchObject({ mode: 'I;16', levels: { bits: 8 } });
    expect(picture.data[1]).toBe(7 * 16);
  });
});

describe('what was used is said', () => {
  it('as bits of the container, of the option, or as a range', async () => {
    const file = await png(Array.from(grey, (value) => value * 257));
    expect((await decode(file)).levels).toEqual({ low: 0, high: 65535, bits: 16, from: 'container' });
    expect((await decode(file, { bitDepth: 16 })).levels).toMatchObject({ bits: 16, from: 'option' });
    const ranged = await decode(file, { valueRange: { low: 0, high: 65535 } });
    expect(ranged.levels).toEqual({ low: 0, high: 65535, from: 'option' });
    expect((await decode({ data: grey, width, height, channels: 1 })).levels).toBeUndefined();
  });
});

describe('what looks wrong is noted', () => {
  const kinds = ({ notes }: DecodedPicture) => notes.map(({ kind, bits }) => [kind, bits]);

  it('values that fit in fewer bits, with the option that says so', async () => {
    const picture = await decode(await png(Array.from(grey, (value) => value * 16)));
    expect(picture.notes).toMatchObject([{ kind: 'bit-depth', bits: 12 }]);
    expect(picture.notes[0]!.message).toContain('--bit-depth 12');
    expect(kinds(await decode(await png(Array.from(grey, (value) => value * 4))))).toEqual([
      ['bit-depth', 10],
      ['narrow', undefined],
    ]);
    expect(kinds(await decode(await png(grey)))).toEqual([
      ['bit-depth', 8],
      [expect.stringMatching(/constant|narrow|one-end/), undefined],
    ]);
  });

  it('not values that need the bits, nor those of a stated depth', async () => {
    expect(kinds(await decode(await png(Array.from(grey, (value) => value * 257))))).toEqual([]);
    const low = await png(Array.from(grey, (value) => value * 16));
    expect(kinds(await decode(low, { bitDepth: 12 }))).toEqual([]);
  });

  it('values outside a stated range, when they are many', async () => {
    const file = await png(Array.from(grey, (value) => value * 257));
    expect(kinds(await decode(file, { valueRange: { low: 0, high: 32767 } }))).toEqual([
      ['outside-range', undefined],
    ]);
    expect(kinds(await decode(file, { valueRange: { low: 0, high: 65000 } }))).toEqual([]);
  });
});

describe('what cannot be meant is an error', () => {
  it('a value above the stated depth', async () => {
    const error = await errorOf(decode(await png(Array.from(grey, (value) => value << 8)), { bitDepth: 12 }));
    expect(error.code).toBe('E_IMAGE_RANGE');
    expect(error.message).toContain('has the value 65280, but 12 bits end at 4095');
  });

  it('values without a range, and values that are none', async () => {
    const of = (data: SampleArray, stated: StatedRange): Samples => ({
      data,
      width: 3,
      height: 1,
      mode: 'L',
      stated,
    });
    const floats = Float32Array.of(0, 0.5, 1);
    const unstated = of(floats, { kind: 'none', type: '32-bit floating point' });
    const error = await errorOf(toLevels('a.tif', unstated, readingOf()));
    expect(error.code).toBe('E_IMAGE_RANGE');
    expect(error.hint).toContain('--value-range');
    const ranged = readingOf({ valueRange: { low: 0, high: 1 } });
    expect([...(await toLevels('a.tif', unstated, ranged)).data]).toEqual([0, 128, 255]);
    const holes = of(Float32Array.of(0, Number.NaN, 1), { kind: 'none', type: '' });
    expect((await errorOf(toLevels('a.tif', holes, ranged))).code).toBe('E_IMAGE_NONFINITE');
  });
});

describe('a mask', () => {
  it('keeps every value above 0, whatever its bits', async () => {
    const path = join(folder, 'mask.png');
    await sharp(await png(Array.from(grey, (value) => (value > 3 ? 65535 : value)))).toFile(path);
    const limits = { maxPixels: 1e6, exif: true };
    const mask = await decodeMask(
      toPictureSource(await png(Array.from(grey, (value) => value >> 7))),
      limits,
    );
    expect([...mask.data]).toEqual(Array.from(grey, (value) => value >> 7));
    const colour = await png(
      Array.from(grey).flatMap((value) => [value === 7 ? 1 : 0, 0, 0]),
      3,
    );
    expect(
      (await decodeMask(toPictureSource(colour), limits)).data.filter((value) => value > 0),
    ).toHaveLength(2);
  });
});

describe('a level', () => {
  it('is an equal share of the range', () => {
    expect(
      [0, 255, 256, 65279, 65280, 65535].map((value) => levelOf(value, { low: 0, high: 65535 })),
    ).toEqual([0, 0, 1, 254, 255, 255]);
    for (const bits of [8, 10, 12, 14, 16])
      for (let value = 0; value < 2 ** bits; value += 3)
        expect(levelOf(value, { low: 0, high: 2 ** bits - 1 })).toBe(value >> (bits - 8));
    expect([-1, 2].map((value) => levelOf(value, { low: 0, high: 1 }))).toEqual([0, 255]);
  });
});
