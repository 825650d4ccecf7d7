/** TIFFs that are damaged, or that ask for what no picture needs. */
import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { ByteBudget } from '../../../src/images/byte-budget.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';
import { readDirectories } from '../../../src/images/tiff/directory.js';
import { tiffForm } from '../../../src/images/tiff/form.js';
import { readOwnTiff } from '../../../src/images/tiff/read.js';
import { deflated, makeTiff, type Page, packed } from './make-tiff.js';

const width = 12;
const height = 10;
const grey = Array.from({ length: width * height }, (_, at) => (at * 2) % 256);
const base = { width, height };

const decode = (bytes: Uint8Array, reading: Partial<Reading> = {}) =>
  decodePicture(toPictureSource(bytes), { maxPixels: 1e6, reading: { ...readingOf(), ...reading } });
const errorOf = (bytes: Uint8Array): Promise<CraneError> =>
  decode(bytes).then(
    () => {
      throw new Error('no error');
    },
    (error: CraneError) => error,
  );

describe('a damaged TIFF', () => {
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
  it.each<[string, Uint8Array]>([
    ['a strip that is too short', makeTiff({ ...twelve, strips: [new Uint8Array(10)] })],
    ['no strips', makeTiff({ ...twelve, strips: [] })],
    ['strips beyond its end', makeTiff({ ...twelve, tags: { 273: [99999], 279: [180] } })],
    ['a Deflate stream that is none', makeTiff({ ...twelve, tags: { 259: [8] } })],
    [
      'an LZW stream that is none',
      makeTiff({ ...twelve, strips: [new Uint8Array(180).fill(255)], tags: { 259: [5] } }),
    ],
    ['strips of no rows', makeTiff({ ...twelve, rowsPerStrip: 0 })],
    ['tiles without end', makeTiff({ ...twelve, tags: { 322: [65535], 323: [65535], 324: [8], 325: [8] } })],
  ])('with %s is E_IMAGE_DECODE', async (_, bytes) => {
    expect((await errorOf(bytes)).code).toBe('E_IMAGE_DECODE');
  });

  const eight: Page = { ...base, strips: [Uint8Array.from(grey)] };
  const wholeTags = Object.entries({
    width: 256,
    height: 257,
    bits: 258,
    compression: 259,
    photometric: 262,
    offsets: 273,
    orientation: 274,
    samples: 277,
    rowsPerStrip: 278,
    byteCounts: 279,
    planar: 284,
    predictor: 317,
    tileWidth: 322,
    tileHeight: 323,
  });
  it.each(wholeTags)(
    'whose %s is a fraction, negative or none is refused before memory is asked for',
    async (_, tag) => {
      const budget = new ByteBudget(1e9);
      const ticket = budget.open();
      for (const page of [eight, twelve])
        for (const number of [15.5, Number.NaN, Number.POSITIVE_INFINITY, -1.5]) {
          const source = toPictureSource(makeTiff({ ...page, tags: { [tag]: [number] } }));
          const error = await decodePicture(source, {
            maxPixels: 1e6,
            reading: readingOf(),
            reserve: (bytes) => ticket.take(bytes),
          }).catch((thrown: CraneError) => thrown);
          expect([number, error]).toMatchObject([
            number,
            { code: 'E_IMAGE_DECODE', message: expect.stringContaining(`tag ${tag}`) },
          ]);
          expect(budget.used).toBe(0);
        }
    },
  );

  it('is not asked for tags that mean nothing here', async () => {
    const many = Array.from({ length: 3000 }, (_, at) => at);
    const strange = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [40_000 + at, many]));
    const bytes = makeTiff({ ...eight, tags: strange });
    let read = 0;
    const { directories } = await readDirectories(async (position, length) => {
      const part = bytes.subarray(position, position + length);
      read += part.length;
      return part;
    });
    expect(read).toBeLessThan(300 * 12 + 1000);
    expect([...directories[0]!.keys()].filter((tag) => tag >= 40_000)).toEqual([]);
    expect([...(await decode(bytes)).data]).toEqual(grey);
  });

  it('whose tags all hold the same numbers is refused before they fill memory, within a directory and over many', async () => {
    const numbers = 20_000;
    // A directory of 300 entries that all are the places of strips, at the same bytes; then one that leads to the next, and so on.
    const entry = (tag: number, count: number, at: number) => {
      const field = Buffer.alloc(12);
      field.writeUInt16LE(tag, 0);
      field.writeUInt16LE(4, 2);
      field.writeUInt32LE(count, 4);
      field.writeUInt32LE(at, 8);
      return field;
    };
    const fileOf = (directories: number, each: number) => {
      const shared = Buffer.alloc(4 * numbers);
      const bytes = 2 + 12 * each + 4;
      const start = 8 + shared.length;
      const head = Buffer.from('II*\0\0\0\0\0');
      head.writeUInt32LE(start, 4);
      const parts = Array.from({ length: directories }, (_, at) => {
        const directory = Buffer.alloc(bytes);
        directory.writeUInt16LE(each, 0);
        for (let n = 0; n < each; n++) entry(273, numbers, 8).copy(directory, 2 + 12 * n);
        if (at + 1 < directories) directory.writeUInt32LE(start + (at + 1) * bytes, bytes - 4);
        return directory;
      });
      return Buffer.concat([head, shared, ...parts]);
    };
    for (const file of [fileOf(1, 300), fileOf(300, 1)]) {
      let read = 0;
      const reading = readDirectories(async (position, length) => {
        read += length;
        return file.subarray(position, position + length);
      });
      await expect(reading).rejects.toMatchObject({
        code: 'E_IMAGE_DECODE',
        message: expect.stringContaining('its directories hold over'),
      });
      expect(read).toBeLessThan(4 * 2 ** 22 + 1e6);
    }
  });

  it.each([
    ['lie beyond its end', [258, 3, 3, 1e6]],
    ['are text', [258, 2, 3, 8]],
    ['are of a type that nobody knows', [258, 99, 1, 8]],
  ])(
    'whose bits per sample %s is refused, not read with another number of them',
    async (_, [tag, type, count, place]) => {
      const bytes = makeTiff({ ...eight, tags: { 258: [8] } });
      const directory = bytes.readUInt32LE(4);
      for (let at = directory + 2; at < bytes.length - 4; at += 12) {
        if (bytes.readUInt16LE(at) !== tag) continue;
        bytes.writeUInt16LE(type!, at + 2);
        bytes.writeUInt32LE(count!, at + 4);
        bytes.writeUInt32LE(place!, at + 8);
      }
      expect(await errorOf(bytes)).toMatchObject({
        code: 'E_IMAGE_DECODE',
        message: expect.stringContaining('tag 258 (bits)'),
      });
    },
  );

  it.each([
    ['Deflate', 8, Buffer.concat([Buffer.from([0x78, 0x01]), Buffer.alloc(500_000, '000000ffff', 'hex')])],
    ['LZW', 5, Buffer.alloc(500_000, '804020100804020100', 'hex')],
    ['PackBits', 32773, Buffer.alloc(500_000, 128)],
    ['no compression', 1, Buffer.alloc(500_000)],
  ])(
    'whose strips all are one stream of %s without end is read in time by its size',
    async (_, compression, stream) => {
      const page: Page = { ...base, bits: [12], rowsPerStrip: 1, strips: [stream] };
      const tags = { 259: [compression], 273: Array(height).fill(8), 279: Array(height).fill(stream.length) };
      const bytes = makeTiff({ ...page, tags });
      let most = 0;
      const read = async (position: number, length: number) => {
        most = Math.max(most, length);
        return bytes.subarray(position, position + length);
      };
      const { directories, littleEndian } = await readDirectories(read);
      const outcome = await readOwnTiff(read, tiffForm(directories), littleEndian).then(
        ({ data }) => data.every((value) => value === 0),
        ({ message }: Error) => message,
      );
      expect(outcome).toEqual(compression === 1 ? true : expect.stringMatching(/a strip or tile/));
      expect(most).toBeLessThan(2000);
    },
  );

  it('whose last strip ends behind the file is refused though what it needs is there', async () => {
    const strips = [Buffer.alloc(500_000)];
    const bytes = makeTiff({ ...base, bits: [12], strips, tags: { 279: [600_000] } });
    expect((await errorOf(bytes)).message).toMatch(/it ends before its last strip/);
  });

  it('a tile that is larger than a picture may be is refused before memory is asked for', async () => {
    const asked: number[] = [];
    for (const bits of [8, 12]) {
      const strips = [deflated(new Uint8Array(16))];
      const page: Page = { ...base, bits: [bits], strips, tile: { width: 4096, height: 4096 } };
      const source = toPictureSource(makeTiff({ ...page, tags: { 259: [8] } }), 'a.tif');
      const decoding = decodePicture(source, {
        maxPixels: 1e6,
        reading: readingOf(),
        reserve: async (bytes) => void asked.push(bytes),
      });
      await expect(decoding).rejects.toMatchObject({
        code: 'E_IMAGE_TOO_LARGE',
        message: 'a.tif: stored in tiles of 4096 x 4096 pixels, the limit is 1000000 pixels',
      });
    }
    expect(asked).toEqual([]);
  });

  it.each([
    ['the numbers of black and white', { 532: [0, Number.NaN, 128.5, 255, 128, 255] }],
    ['a range of no width', { 532: [7, 7, 128, 255, 128, 255] }],
    ['shares of the colours', { 529: [0.3, Number.POSITIVE_INFINITY, 0.1] }],
  ])('YCbCr of which %s make no sense is refused', async (_, tags) => {
    const strips = [new Uint8Array(width * height * 3)];
    const page: Page = { ...base, photometric: 6, bits: [8, 8, 8], strips };
    const error = await errorOf(makeTiff({ ...page, tags: { 530: [1, 1], ...tags } }));
    expect(error).toMatchObject({ code: 'E_IMAGE_DECODE', message: expect.stringContaining('YCbCr') });
  });

  it('what a grey picture says of YCbCr concerns nobody', async () => {
    for (const tags of [{ 532: [0, 255] }, { 529: [0, 0, 0] }])
      expect(
        await decode(makeTiff({ ...twelve, tags }), { valueRange: { low: 0, high: 4095 } }),
      ).toMatchObject({ mode: 'L' });
  });

  it('is an error at every length, and with any byte changed one with a code or a picture', async () => {
    const bytes = makeTiff({ ...twelve, strips: [deflated(twelve.strips[0]!)], tags: { 259: [8] } });
    for (let length = 0; length < bytes.length; length += 3) {
      const { code } = await errorOf(bytes.subarray(0, length));
      expect([length, code]).toEqual([length, length === 0 ? 'E_IMAGE_EMPTY' : 'E_IMAGE_DECODE']);
    }
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 1, 127, 255]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        const outcome = await decode(changed, { valueRange: { low: 0, high: 4095 } }).then(
          ({ mode }) => mode,
          (error: CraneError) => error.code,
        );
        expect([at, value, outcome]).toEqual([
          at,
          value,
          expect.stringMatching(/^(L|LA|RGB|RGBA|P|E_IMAGE_\w+)$/),
        ]);
      }
    }
  });

  it('whose directories lead in a circle ends', async () => {
    const bytes = makeTiff({ ...base, strips: [Uint8Array.from(grey)] });
    bytes.writeUInt32LE(bytes.readUInt32LE(4), bytes.length - 4);
    expect((await errorOf(bytes)).message).toMatch(/circle/);
  });
});
