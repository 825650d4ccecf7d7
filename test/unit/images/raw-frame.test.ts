import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import type { RawPicture } from '../../../src/images/raw-frame.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';
import { builtAddon } from '../models/weights/built-addon.js';

const width = 10;
const height = 8;
const grey = Uint8Array.from({ length: width * height }, (_, at) => at * 3);
const limits = { maxPixels: 1e8 };

const decode = (frame: RawPicture, reading: Partial<Reading> = {}) =>
  decodePicture(toPictureSource(frame), { ...limits, reading: { ...readingOf(), ...reading } });
const errorOf = (work: () => Promise<unknown>): Promise<CraneError> =>
  Promise.resolve()
    .then(work)
    .then(
      () => {
        throw new Error('no error');
      },
      (error: CraneError) => error,
    );

describe('a frame of a camera', () => {
  it('has as many bits as it says, whatever the engine assumes', async () => {
    const data = Uint16Array.from(grey, (value) => value * 16);
    const frame = { data, width, height, channels: 1 as const, bits: 12 };
    expect((await decode(frame)).data).toEqual(grey);
    const said = await decode(frame, { bitDepth: 16 });
    expect([said.data, said.levels?.bits, said.notes]).toEqual([grey, 12, []]);
    expect(
      (await decode({ ...frame, data: Uint16Array.from(data, (v) => v | 0xf000) }).catch((e) => e)).code,
    ).toBe('E_IMAGE_RANGE');
  });

  it('may be 16-bit colour', async () => {
    const colours = Uint16Array.from({ length: width * height * 3 }, (_, at) => (at % 256) * 257);
    const picture = await decode({ data: colours, width, height, channels: 3 });
    expect([picture.mode, [...picture.data]]).toEqual(['RGB', Array.from(colours, (value) => value >> 8)]);
  });

  it.each([
    ['with padding after each row', 16, 16 * height],
    ['without padding after the last', 16, 16 * (height - 1) + width],
  ])('may have a stride, %s', async (_, stride, length) => {
    for (const Kind of [Uint8Array, Uint16Array]) {
      const factor = Kind === Uint16Array ? 257 : 1;
      const data = new Kind(length).fill(7 * factor);
      for (let at = 0; at < grey.length; at++)
        data[Math.floor(at / width) * stride + (at % width)] = grey[at]! * factor;
      expect((await decode({ data, width, height, channels: 1, stride })).data).toEqual(grey);
    }
  });

  it('is a copy: the caller may change its own afterwards', async () => {
    const data = Uint8Array.from(grey);
    const picture = await decode({ data, width, height, channels: 1 });
    data.fill(0);
    expect(picture.data).toEqual(grey);
  });

  it.each([
    [{ bits: 12 }, /8 with 8-bit data/],
    [{ bayer: 'rgbg' }, /one of rggb, bggr, grbg, gbrg/],
    [{ stride: 9 }, /at least width x channels = 10 for stride/],
    [{ stride: 11 }, /80 values, expected 8 rows of 11 = 88/],
    [{ height: 7 }, /expected 10 x 7 x 1 = 70/],
    [{ channels: 5 }, /1, 2, 3 or 4 for channels/],
    [{ channels: 2, width: 5, bayer: 'rggb' }, /1 with bayer/],
    [{ width: 0 }, /a positive whole number for width/],
    [{ channels: '1' }, /1, 2, 3 or 4 for channels/],
    [{ bayer: ['rggb'] }, /one of rggb, bggr, grbg, gbrg/],
    [{ strid: 10 }, /no field "strid"/],
    [{ bitDepth: 12 }, /no field "bitDepth"/],
  ])('with %j is refused', async (change, message) => {
    const frame = { data: grey, width, height, channels: 1, ...change } as RawPicture;
    expect((await errorOf(() => decode(frame))).message).toMatch(message);
  });
});

it('names what a field may have meant; whole numbers of the other kind are no channels', async () => {
  const fault = (change: object) =>
    errorOf(() => decode({ data: grey, width, height, channels: 1, ...change } as RawPicture));
  expect(await fault({ strid: 10 })).toMatchObject({ code: 'E_USAGE', hint: 'did you mean "stride"?' });
  expect((await fault({ bitDepth: 12 })).hint).toContain('bits');
  expect(await fault({ channels: 1n })).toMatchObject({ code: 'E_USAGE' });
});

describe('memory of frames', () => {
  it('is granted before anything is copied', async () => {
    const asked: number[] = [];
    let grant = () => {};
    const data = Uint16Array.from(grey);
    const work = decodePicture(toPictureSource({ data, width, height, channels: 1, bits: 8 }), {
      ...limits,
      reading: readingOf(),
      reserve: (bytes) => {
        asked.push(bytes);
        return new Promise<void>((resolve) => {
          grant = resolve;
        });
      },
    });
    data[0] = 99;
    await new Promise(setImmediate);
    expect(asked).toEqual([3 * grey.length]);
    grant();
    // What was there when the memory was granted.
    expect((await work).data[0]).toBe(99);
  });

  it('is copied in pieces between which the loop goes on, and a transfer meanwhile is an error', async () => {
    const big = { data: new Uint8Array(4000 * 3000), width: 4000, height: 3000, channels: 1 as const };
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await decode(big).finally(() => {
      isDone = true;
    });
    expect(turns).toBeGreaterThan(20);
    const work = errorOf(() => decode(big));
    setImmediate(() => structuredClone(big.data, { transfer: [big.data.buffer] }));
    const error = await work;
    expect([error.code, error.message]).toEqual([
      'E_IMAGE_SHAPE',
      '<pixels>: its array was transferred or resized while it was read',
    ]);
  });
});

const addon = await builtAddon();

describe.skipIf(!addon)('a sensor with colour filters', () => {
  it.each([
    ['rggb', [0, 1, 1, 2]],
    ['bggr', [2, 1, 1, 0]],
    ['grbg', [1, 0, 2, 1]],
    ['gbrg', [1, 2, 0, 1]],
  ] as const)('%s becomes colours', async (bayer, pattern) => {
    const colours = [200, 100, 50];
    const cellOf = (at: number) => pattern[(Math.floor(at / width) % 2) * 2 + ((at % width) % 2)]!;
    const data = Uint16Array.from({ length: width * height }, (_, at) => colours[cellOf(at)]! * 16);
    const picture = await decode({ data, width, height, channels: 1, bits: 12, bayer });
    expect(picture).toMatchObject({ mode: 'RGB', width, height, levels: { bits: 12 } });
    expect([...picture.data]).toEqual(Array.from({ length: width * height }, () => colours).flat());
  });
});
