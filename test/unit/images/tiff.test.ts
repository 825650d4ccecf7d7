import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';
import { readDirectories } from '../../../src/images/tiff/directory.js';
import { tiffForm } from '../../../src/images/tiff/form.js';
import { readOwnTiff } from '../../../src/images/tiff/read.js';
import { bytesOf, deflated, makeTiff, type Page, packed } from './make-tiff.js';

const width = 12;
const height = 10;
const grey = Array.from({ length: width * height }, (_, at) => (at * 2) % 256);
const colours = grey.flatMap((value) => [value, 255 - value, (value * 3) % 256]);
const base = { width, height };

const decode = (bytes: Uint8Array, reading: Partial<Reading> = {}) =>
  decodePicture(toPictureSource(bytes), { maxPixels: 1e6, reading: { ...readingOf(), ...reading } });
const errorOf = (bytes: Uint8Array, reading: Partial<Reading> = {}): Promise<CraneError> =>
  decode(bytes, reading).then(
    () => {
      throw new Error('no error');
    },
    (error: CraneError) => error,
  );
const textOf = async (bytes: Uint8Array) => {
  const { code, message, hint } = await errorOf(bytes);
  return `${code} ${message} | ${hint}`;
};

describe('bits that do not fill bytes (case C1)', () => {
  it.each([10, 12, 14])('%i bits are scaled by their own number', async (bits) => {
    const values = grey.map((value) => value << (bits - 8));
    const picture = await decode(makeTiff({ ...base, bits: [bits], strips: [packed(values, bits, width)] }));
    expect([picture.mode, [...picture.data]]).toEqual(['L', grey]);
    expect(picture.levels).toMatchObject({ bits, from: 'tag' });
  });

  it('a tag that states a range of whole bits is one; the largest value of a picture is none', async () => {
    const strips = [bytesOf(Uint16Array.from(grey, (value) => value * 16))];
    const page: Page = { ...base, bits: [16], strips };
    expect((await decode(makeTiff({ ...page, tags: { 341: [4095] } }))).levels).toMatchObject({
      bits: 12,
      from: 'tag',
    });
    expect((await decode(makeTiff({ ...page, tags: { 341: [3807] } }))).levels).toMatchObject({
      bits: 16,
      from: 'container',
    });
  });
});

describe('values without a range', () => {
  const floats = bytesOf(Float32Array.from(grey, (value) => value / 255));
  const float = { 339: [3] };
  it.each<[string, Page, { low: number; high: number }]>([
    ['32-bit floating point', { ...base, bits: [32], strips: [floats], tags: float }, { low: 0, high: 1 }],
    [
      '64-bit floating point in Deflate',
      {
        ...base,
        bits: [64],
        strips: [deflated(bytesOf(Float64Array.from(grey, (value) => value - 100)))],
        tags: { ...float, 259: [8] },
      },
      { low: -100, high: 155 },
    ],
    [
      '16-bit signed',
      {
        ...base,
        bits: [16],
        strips: [bytesOf(Int16Array.from(grey, (value) => value - 128))],
        tags: { 339: [2] },
      },
      { low: -128, high: 127 },
    ],
    [
      '32-bit unsigned',
      { ...base, bits: [32], strips: [bytesOf(Uint32Array.from(grey, (value) => value * 1e6))] },
      { low: 0, high: 255e6 },
    ],
  ])('%s needs one, and has it from --value-range', async (what, page, valueRange) => {
    const error = await errorOf(makeTiff(page));
    expect(error.code).toBe('E_IMAGE_RANGE');
    expect(what).toContain(/: (\d+-bit \w+( point)?) values/.exec(error.message)![1]);
    expect(error.hint).toContain('--value-range');
    const picture = await decode(makeTiff(page), { valueRange });
    expect([...picture.data]).toEqual(grey);
    expect(picture.levels).toEqual({ ...valueRange, from: 'option' });
  });

  it('a tag that states 0 to 1 is one', async () => {
    const page = { ...base, bits: [32], strips: [floats], tags: { ...float, 341: [1] } };
    expect((await decode(makeTiff(page))).levels).toEqual({ low: 0, high: 1, from: 'tag' });
  });

  it('a value that is no number is an error', async () => {
    const strips = [bytesOf(Float32Array.from(grey, (value) => (value === 6 ? Number.NaN : value)))];
    const error = await errorOf(makeTiff({ ...base, bits: [32], strips, tags: float }), {
      valueRange: { low: 0, high: 255 },
    });
    expect(error.code).toBe('E_IMAGE_NONFINITE');
  });

  it('predictors of whole numbers and of floating point are undone', async () => {
    const differences = Uint16Array.from(
      grey,
      (value, at) => (value - (at % width === 0 ? 0 : grey[at - 1]!)) & 65535,
    );
    const signed = { 259: [8], 317: [2], 339: [2] };
    const whole = makeTiff({ ...base, bits: [16], strips: [deflated(bytesOf(differences))], tags: signed });
    expect([...(await decode(whole, { valueRange: { low: 0, high: 255 } })).data]).toEqual(grey);
    const shuffled = Buffer.concat(
      Array.from({ length: height }, (_, row) => {
        const big = Buffer.alloc(4 * width);
        for (let x = 0; x < width; x++) big.writeFloatBE(grey[row * width + x]!, 4 * x);
        const planes = Uint8Array.from(big, (_byte, at) => big[(at % width) * 4 + Math.floor(at / width)]!);
        return Buffer.from(planes.map((byte, at) => (byte - (at === 0 ? 0 : planes[at - 1]!)) & 255));
      }),
    );
    const tags = { 259: [8], 317: [3], 339: [3] };
    const float32 = makeTiff({ ...base, bits: [32], strips: [deflated(shuffled)], tags });
    expect([...(await decode(float32, { valueRange: { low: 0, high: 255 } })).data]).toEqual(grey);
  });
});

describe('bands beyond the colours (case C12)', () => {
  const nir = grey.flatMap((value, at) => [...colours.slice(3 * at, 3 * at + 3), value]);
  const rgb = { ...base, photometric: 2 };

  it('are left out, and it is said', async () => {
    const strips = [Uint8Array.from(nir)];
    const picture = await decode(makeTiff({ ...rgb, bits: [8, 8, 8, 8], strips, tags: { 338: [0] } }));
    expect([picture.mode, [...picture.data]]).toEqual(['RGB', colours]);
    expect(picture.notes).toMatchObject([{ kind: 'bands-dropped' }]);
    const five = grey.flatMap((value, at) => [...colours.slice(3 * at, 3 * at + 3), value, value]);
    const more = makeTiff({
      ...rgb,
      bits: [8, 8, 8, 8, 8],
      strips: [Uint8Array.from(five)],
      tags: { 338: [0, 0] },
    });
    expect([...(await decode(more)).data]).toEqual(colours);
  });

  it('are alpha where the file says so, wherever it stands', async () => {
    const alpha = makeTiff({
      ...rgb,
      bits: [8, 8, 8, 8],
      strips: [Uint8Array.from(nir)],
      tags: { 338: [2] },
    });
    expect([(await decode(alpha)).mode, [...(await decode(alpha)).data]]).toEqual(['RGBA', nir]);
    const behind = grey.flatMap((value, at) => [...colours.slice(3 * at, 3 * at + 3), 99, value]);
    const last = makeTiff({
      ...rgb,
      bits: [8, 8, 8, 8, 8],
      strips: [Uint8Array.from(behind)],
      tags: { 338: [0, 2] },
    });
    expect([(await decode(last)).mode, [...(await decode(last)).data]]).toEqual(['RGBA', nir]);
  });

  it('in planes of their own', async () => {
    const planes = [0, 1, 2].map((band) => Uint8Array.from(grey, (_, at) => colours[3 * at + band]!));
    const strips = [...planes, Uint8Array.from(grey), Uint8Array.from(grey)];
    const page = makeTiff({ ...rgb, bits: [8, 8, 8, 8, 8], strips, tags: { 284: [2], 338: [0, 0] } });
    expect([...(await decode(page)).data]).toEqual(colours);
  });

  it('of which nobody says what they are make an error', async () => {
    const strips = [Uint8Array.from(colours)];
    expect(await textOf(makeTiff({ ...base, bits: [8, 8, 8], strips, tags: { 338: [0, 0] } }))).toMatch(
      /^E_IMAGE_FORMAT .*3 bands of which the file does not say what they are/,
    );
  });

  it('that colours are multiplied by are undone, as Pillow does', async () => {
    const strips = [Uint8Array.from(grey.flatMap((value) => [value >> 1, value >> 1, value >> 1, 128, 7]))];
    const page = makeTiff({ ...rgb, bits: [8, 8, 8, 8, 8], strips, tags: { 338: [1, 0] } });
    const { data } = await decode(page);
    expect([data[0], data[4 * 10], data[4 * 100 + 3]]).toEqual([0, Math.floor((255 * 10) / 128), 128]);
  });
});

describe('what samples mean (case C13)', () => {
  it('YCbCr without JPEG is converted, with every pixel and with shared colours', async () => {
    // Pillow 13: red, green, blue and grey in YCbCr.
    const codes = [
      [76, 85, 255],
      [150, 44, 21],
      [29, 255, 107],
      [128, 128, 128],
    ];
    const want = [
      [254, 0, 0],
      [0, 255, 1],
      [0, 0, 254],
      [128, 128, 128],
    ];
    const at = (pixel: number) => codes[pixel % 4]!;
    const full = makeTiff({
      ...base,
      photometric: 6,
      bits: [8, 8, 8],
      strips: [Uint8Array.from(grey.flatMap((_, pixel) => at(pixel)))],
      tags: { 530: [1, 1] },
    });
    expect([...(await decode(full)).data]).toEqual(grey.flatMap((_, pixel) => want[pixel % 4]!));
    const units = Array.from({ length: (width / 2) * (height / 2) }, () => [76, 76, 76, 76, 85, 255]).flat();
    const shared = makeTiff({ ...base, photometric: 6, bits: [8, 8, 8], strips: [Uint8Array.from(units)] });
    expect([...(await decode(shared)).data]).toEqual(grey.flatMap(() => want[0]!));
  });

  it('white is 0 where the file says so, in any number of bits', async () => {
    const inverted = grey.map((value) => 255 - value);
    const eight = makeTiff({ ...base, photometric: 0, strips: [Uint8Array.from(inverted)] });
    expect([...(await decode(eight)).data]).toEqual(grey);
    const wide = bytesOf(Uint16Array.from(inverted, (value) => value * 257));
    expect([
      ...(await decode(makeTiff({ ...base, photometric: 0, bits: [16], strips: [wide] }))).data,
    ]).toEqual(grey);
    const twelve = packed(
      inverted.map((value) => value * 16 + 15),
      12,
      width,
    );
    expect([
      ...(await decode(makeTiff({ ...base, photometric: 0, bits: [12], strips: [twelve] }))).data,
    ]).toEqual(grey);
  });

  it.each([
    [5, [8, 8, 8, 8], 'E_IMAGE_COLOUR', 'CMYK'],
    [8, [8, 8, 8], 'E_IMAGE_COLOUR', 'CIELab'],
    [34892, [16], 'E_IMAGE_COLOUR', 'linear raw'],
    [32803, [8], 'E_IMAGE_FORMAT', 'mosaic of a sensor without its pattern'],
  ])('photometric %i is refused by its name', async (photometric, bits, code, name) => {
    const strips = [new Uint8Array(width * height * 4)];
    const text = await textOf(makeTiff({ ...base, photometric, bits, strips }));
    expect(text).toMatch(new RegExp(`^${code} .*${name}`));
  });

  it('a camera raw file is no TIFF for us', async () => {
    const dng = makeTiff({ ...base, strips: [Uint8Array.from(grey)], tags: { 50706: [1, 4, 0, 0] } });
    expect(await textOf(dng)).toMatch(/^E_IMAGE_FORMAT .*DNG/);
  });
});

describe('pages', () => {
  const picture: Page = { ...base, strips: [Uint8Array.from(grey)] };
  const thumbnail: Page = { width: 4, height: 4, strips: [new Uint8Array(16)], tags: { 254: [1] } };
  const mask: Page = { ...base, strips: [new Uint8Array(width * height)], tags: { 254: [4] } };

  it('that are thumbnails, overviews or masks of transparency are passed over', async () => {
    for (const pages of [
      [picture, thumbnail],
      [thumbnail, picture],
      [picture, mask, thumbnail],
      [{ ...thumbnail, tags: { 255: [2] } }, picture],
    ]) {
      const decoded = await decode(makeTiff(...pages));
      expect([decoded.width, decoded.height, [...decoded.data]]).toEqual([width, height, grey]);
    }
  });

  it('also by our own reader', async () => {
    const twelve: Page = {
      ...base,
      bits: [12],
      strips: [
        packed(
          grey.map((value) => value * 16),
          12,
          width,
        ),
      ],
    };
    expect([...(await decode(makeTiff(thumbnail, twelve))).data]).toEqual(grey);
  });

  it('that are several pictures make an error', async () => {
    expect((await errorOf(makeTiff(picture, picture))).code).toBe('E_IMAGE_ANIMATED');
  });
});

describe('our own reader', () => {
  const pictures = new URL('./pictures/', import.meta.url).pathname;
  it.each(['l16_lzw.tif', 'l8_lzw.tif', 'rgb8_lzw.tif', 'l16.tif', 'rgb8.tif'])(
    'reads %s as the decoder library does',
    async (name) => {
      const bytes = readFileSync(join(pictures, name));
      const read = async (position: number, length: number) => bytes.subarray(position, position + length);
      const { directories, littleEndian } = await readDirectories(read);
      const form = tiffForm(directories);
      expect(form.reader).toBe('library');
      const own = await readOwnTiff(read, form, littleEndian);
      const library = await decode(bytes, { grey16: true });
      expect([own.width, own.height, own.mode]).toEqual([
        library.width,
        library.height,
        library.mode === 'I;16' ? 'L' : library.mode,
      ]);
      expect(
        Buffer.compare(
          Buffer.from(bytesOf(own.data as Uint16Array)),
          Buffer.from(bytesOf(library.data as Uint16Array)),
        ),
      ).toBe(0);
    },
  );

  it('turns a picture as its orientation says', async () => {
    const strips = [
      packed(
        grey.map((value) => value * 16),
        12,
        width,
      ),
    ];
    const turned = (orientation: number) =>
      decode(makeTiff({ ...base, bits: [12], strips, tags: { 274: [orientation] } }));
    const at = (x: number, y: number) => grey[y * width + x];
    const corners: [number, number, number][] = [
      [1, 0, 0],
      [2, width - 1, 0],
      [3, width - 1, height - 1],
      [4, 0, height - 1],
      [5, 0, 0],
      [6, 0, height - 1],
      [7, width - 1, height - 1],
      [8, width - 1, 0],
    ];
    for (const [orientation, x, y] of corners) {
      const picture = await turned(orientation);
      expect([orientation, picture.width, picture.data[0]]).toEqual([
        orientation,
        orientation >= 5 ? height : width,
        at(x, y),
      ]);
    }
  });

  it('reads PackBits, several strips and tiles', async () => {
    const values = grey.map((value) => value * 16);
    const rows = (from: number, to: number) => packed(values.slice(from * width, to * width), 12, width);
    const literal = (bytes: Uint8Array) => Uint8Array.from([128, bytes.length - 1, ...bytes]);
    const strips = [rows(0, 4), rows(4, 8), rows(8, 10)].map(literal);
    const striped = { ...base, bits: [12], strips, rowsPerStrip: 4, tags: { 259: [32773] } };
    expect([...(await decode(makeTiff(striped))).data]).toEqual(grey);
    const tile = (x0: number, y0: number) =>
      packed(
        Array.from({ length: 64 }, (_, at) => {
          const [x, y] = [x0 + (at % 8), y0 + (at >> 3)];
          return x < width && y < height ? values[y * width + x]! : 0;
        }),
        12,
        8,
      );
    const tiles = [tile(0, 0), tile(8, 0), tile(0, 8), tile(8, 8)];
    const plain = makeTiff({ ...base, bits: [12], strips: tiles });
    const offsets = (
      await readDirectories(async (position, length) => plain.subarray(position, position + length))
    ).directories[0]!.get(273)!;
    const tags = { 322: [8], 323: [8], 324: [...offsets], 325: tiles.map(({ length }) => length) };
    expect([...(await decode(makeTiff({ ...base, bits: [12], strips: tiles, tags }))).data]).toEqual(grey);
  });
});
