/** Files as cameras' and users' programs write them; the TIFFs are made by scripts/fixtures/make_field.py. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { labelMask, type MaskOptions } from '../../../src/data/label-mask.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';
import type { PictureNote } from '../../../src/images/samples.js';

const file = (name: string) => fileURLToPath(new URL(`field/${name}`, import.meta.url));
const decode = (source: string | Uint8Array, reading: Partial<Reading> = {}) =>
  decodePicture(toPictureSource(source), { maxPixels: 1e6, reading: { ...readingOf(), ...reading } });

const width = 12;
const height = 10;
/** 0, 2, 4 ... 238: the levels that every file of a camera here stands for. */
const grey = Array.from({ length: width * height }, (_, at) => (at * 2) % 256);

describe('C1: a camera’s bits in a TIFF of 16', () => {
  it.each([10, 12])(
    '%i bits that nobody states are told with the option, which scales them',
    async (bits) => {
      const unsaid = await decode(file(`camera${bits}.tif`));
      expect([...unsaid.data]).toEqual(grey.map((level) => Math.floor(level / 2 ** (16 - bits))));
      expect(unsaid.levels).toMatchObject({ bits: 16, from: 'container' });
      expect(unsaid.notes[0]).toMatchObject({ kind: 'bit-depth', bits });
      expect(unsaid.notes[0]!.message).toContain(`--bit-depth ${bits}`);
      const said = await decode(file(`camera${bits}.tif`), { bitDepth: bits });
      expect([said.mode, [...said.data], said.notes]).toEqual(['L', grey, []]);
    },
  );

  it.each([10, 12])('%i bits that are packed are scaled by the file’s own word', async (bits) => {
    const picture = await decode(file(`packed${bits}.tif`));
    expect([picture.mode, [...picture.data], picture.notes]).toEqual(['L', grey, []]);
    expect(picture.levels).toMatchObject({ bits, from: 'tag' });
  });
});

it.each(['png', 'bmp', 'tiff'] as const)(
  'a grey camera’s picture saved as RGB %s is what it is in grey',
  async (kind) => {
    const rgb = Buffer.from(grey.flatMap((level) => [level, level, level]));
    const bytes =
      kind === 'bmp'
        ? bitmap(rgb)
        : await sharp(rgb, { raw: { width, height, channels: 3 } })
            .toFormat(kind, { compression: 'lzw' })
            .toBuffer();
    const picture = await decode(bytes);
    expect([picture.mode, picture.width, picture.height, picture.notes]).toEqual(['RGB', width, height, []]);
    expect(Buffer.from(picture.data as Uint8Array)).toEqual(rgb);
  },
);

/** 24 bits a pixel, blue first, from the bottom up; rows of 36 bytes need no padding. */
function bitmap(rgb: Uint8Array): Buffer {
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(54 + rgb.length, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  const rows = Array.from({ length: height }, (_, row) => {
    const line = Buffer.from(rgb.subarray((height - 1 - row) * 3 * width, (height - row) * 3 * width));
    for (let at = 0; at < line.length; at += 3) line.subarray(at, at + 3).reverse();
    return line;
  });
  return Buffer.concat([head, ...rows]);
}

describe('C6: a boolean array that tifffile wrote under a tag which turns it round', () => {
  const marked = Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return y >= 2 && y < 4 && x >= 3 && x < 9;
  });
  const read = async (name: string, options: MaskOptions = {}) => {
    const notes: [PictureNote['kind'], string][] = [];
    const onNote = ({ kind }: PictureNote, path: string) => notes.push([kind, path]);
    const { data } = await labelMask(file(name), { ...options, onNote });
    return { marked: Array.from(data, (value) => value > 0), notes };
  };

  it.each(['boolean.tif', 'boolean_deflate.tif', 'boolean_big.tif'])(
    '%s marks what was true, and says so',
    async (name) => {
      expect(await read(name)).toEqual({ marked, notes: [['mask-turned', file(name)]] });
    },
  );

  it('as the reference reads it, and in a scan with the same tags, the tag counts', async () => {
    const turned = marked.map((value) => !value);
    expect(await read('boolean.tif', { maskGrey: true })).toEqual({ marked: turned, notes: [] });
    expect(await read('scan.tif')).toEqual({ marked, notes: [] });
  });

  it('as a picture it is what its tags say', async () => {
    const { data, mode } = await decode(file('boolean.tif'));
    const levels = marked.flatMap((value) => (value ? [0, 0, 0] : [255, 255, 255]));
    expect([mode, [...data]]).toEqual(['P', levels]);
  });

  it('a Software tag of any length or type is no reason to fail', async () => {
    const bytes = await readFile(file('boolean.tif'));
    const entry = bytes.indexOf(Buffer.from([0x31, 0x01, 0x02, 0x00]));
    for (const [type, count] of [
      [2, 0xffffffff],
      [2, 0],
      [2, 300],
      [3, 6],
      [99, 12],
    ] as const) {
      const changed = Buffer.from(bytes);
      changed.writeUInt16LE(type, entry + 2);
      changed.writeUInt32LE(count, entry + 4);
      await expect(decode(changed)).resolves.toMatchObject({ width, height });
    }
  });
});
