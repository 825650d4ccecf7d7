/** Predictors of TIFF: what libtiff reads of the same bytes, and numbers of which it is known what they are. */
import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { sharp } from '../../../src/images/sharp.js';
import { readDirectories } from '../../../src/images/tiff/directory.js';
import { tiffForm } from '../../../src/images/tiff/form.js';
import { readOwnTiff } from '../../../src/images/tiff/read.js';
import { bytesOf, deflated, lzwed, makeTiff, type Page } from './make-tiff.js';

const width = 21;
const height = 10;
const tile = { width: 16, height: 16 };
const k_horizontal = { 317: [2] };
const k_none = [1];
const k_lzw = [5];
const k_deflate = [8];
const k_packBits = [32773];

async function readOurs(bytes: Uint8Array): Promise<number[]> {
  const read = async (position: number, length: number) => bytes.subarray(position, position + length);
  const { directories, littleEndian } = await readDirectories(read);
  return [...(await readOwnTiff(read, tiffForm(directories), littleEndian)).data];
}

async function readLibtiff(bytes: Uint8Array, space: 'scrgb' | 'b-w', bands: number): Promise<number[]> {
  const { data } = await sharp(bytes)
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth: 'float' })
    .toBuffer({ resolveWithObject: true });
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const kept = data.length / 4 / width / height;
  return Array.from({ length: width * height * bands }, (_, at) =>
    view.getFloat32(4 * (Math.floor(at / bands) * kept + (at % bands)), true),
  );
}

/** Values that a mean, a sum or a rounding would betray, below and above 0. */
const value = (x: number, y: number, band: number) =>
  ((x * 7919 + y * 104_729 + band * 31) % 1013) / 7 - 60 + (x % 5 === 0 ? 1e-3 : 0);

interface Written {
  bits: 16 | 32 | 64;
  bands: number;
  isBig: boolean;
  /** of the strip or tile, rows of what is stored */
  columns: number;
  rows: number;
  left: number;
  top: number;
}

/** The words of a strip or tile, each less the one a pixel before it. */
function differenced({ bits, bands, isBig, columns, rows, left, top }: Written): Uint8Array {
  const size = bits / 8;
  const bytes = Buffer.alloc(rows * columns * bands * size);
  const write = (word: bigint, at: number) => {
    for (let byte = 0; byte < size; byte++)
      bytes[at * size + (isBig ? size - 1 - byte : byte)] = Number((word >> BigInt(8 * byte)) & 255n);
  };
  for (let y = 0; y < rows; y++)
    for (let at = 0; at < columns * bands; at++) {
      const wordAt = (n: number) => wordOf(value(left + Math.floor(n / bands), top + y, n % bands), bits);
      const before = at < bands ? 0n : wordAt(at - bands);
      write(BigInt.asUintN(bits, wordAt(at) - before), y * columns * bands + at);
    }
  return bytes;
}

function wordOf(number: number, bits: 16 | 32 | 64): bigint {
  const view = new DataView(new ArrayBuffer(8));
  // Of half precision: whole numbers below 2048 by hand, which is what the test gives.
  if (bits === 16) {
    const whole = Math.round(number);
    if (whole === 0) return 0n;
    const exponent = Math.floor(Math.log2(Math.abs(whole)));
    const fraction = (Math.abs(whole) / 2 ** exponent - 1) * 1024;
    return BigInt((whole < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction);
  }
  if (bits === 64) {
    view.setFloat64(0, number);
    return view.getBigUint64(0);
  }
  view.setFloat32(0, number);
  return BigInt(view.getUint32(0));
}

function wanted(bits: 16 | 32 | 64, bands: number): number[] {
  const rounded = (number: number) =>
    bits === 64 ? number : bits === 32 ? Math.fround(number) : Math.round(number) + 0;
  return Array.from({ length: width * height * bands }, (_, at) =>
    rounded(value(Math.floor(at / bands) % width, Math.floor(at / bands / width), at % bands)),
  );
}

function floatTiff(options: {
  bits: 16 | 32 | 64;
  bands: number;
  isBig: boolean;
  isTiled: boolean;
  compression: number[];
}): Buffer {
  const { bits, bands, isBig, isTiled, compression } = options;
  const pack = compression === k_lzw ? lzwed : deflated;
  const piece = (left: number, top: number, columns: number, rows: number) =>
    pack(differenced({ bits, bands, isBig, columns, rows, left, top }));
  const strips = isTiled
    ? [piece(0, 0, tile.width, tile.height), piece(tile.width, 0, tile.width, tile.height)]
    : [piece(0, 0, width, 4), piece(0, 4, width, 4), piece(0, 8, width, 2)];
  return makeTiff({
    width,
    height,
    bits: Array(bands).fill(bits),
    photometric: bands === 1 ? 1 : 2,
    strips,
    isBigEndian: isBig,
    ...(isTiled ? { tile } : { rowsPerStrip: 4 }),
    tags: {
      ...k_horizontal,
      259: compression,
      339: Array(bands).fill(3),
      ...(bands > 3 ? { 338: Array(bands - 3).fill(0) } : {}),
    },
  });
}

const forms = [
  ['Deflate', k_deflate],
  ['LZW', k_lzw],
].flatMap(([name, compression]) =>
  [false, true].flatMap((isBig) =>
    [false, true].map((isTiled) => ({
      name: `${name}, ${isBig ? 'big' : 'little'} endian, ${isTiled ? 'tiles' : 'strips'}`,
      compression: compression as number[],
      isBig,
      isTiled,
    })),
  ),
);

describe('floating point with the horizontal predictor', () => {
  it.each(forms)('of 32 bits in $name is what libtiff reads', async ({ compression, isBig, isTiled }) => {
    for (const bands of [1, 3]) {
      const bytes = floatTiff({ bits: 32, bands, isBig, isTiled, compression });
      const ours = await readOurs(bytes);
      expect(ours).toEqual(wanted(32, bands));
      expect(ours).toEqual(await readLibtiff(bytes, bands === 1 ? 'b-w' : 'scrgb', bands));
    }
  });

  it.each(forms)(
    'of 16 and 64 bits in $name is what was written',
    async ({ compression, isBig, isTiled }) => {
      for (const bits of [16, 64] as const)
        for (const bands of [1, 3]) {
          const bytes = floatTiff({ bits, bands, isBig, isTiled, compression });
          expect([bits, bands, await readOurs(bytes)]).toEqual([bits, bands, wanted(bits, bands)]);
        }
    },
  );

  it('of five bands goes from band to the same band', async () => {
    const bytes = floatTiff({ bits: 32, bands: 5, isBig: false, isTiled: false, compression: k_deflate });
    const all = wanted(32, 5);
    const ours = await readOurs(bytes);
    expect(ours).toEqual(all.filter((_, at) => at % 5 < 3));
    expect(ours).toEqual(await readLibtiff(bytes, 'scrgb', 3));
  });

  it('a mask keeps its row', async () => {
    const row = [...'0011100001111000'].map(Number);
    const words = row.map((_, x) => {
      const word = (at: number) => (row[at] ? 0x3f800000 : 0);
      return (word(x) - (x === 0 ? 0 : word(x - 1))) >>> 0;
    });
    const strip = deflated(bytesOf(Uint32Array.from(Array(8).fill(words).flat())));
    const page: Page = { width: 16, height: 8, bits: [32], strips: [strip] };
    const bytes = makeTiff({ ...page, tags: { ...k_horizontal, 259: k_deflate, 339: [3] } });
    expect((await readOurs(bytes)).slice(0, 16)).toEqual(row);
  });
});

describe('the tag Predictor without a compression that has one', () => {
  const values = Float32Array.from({ length: width * height }, (_, at) =>
    value(at % width, Math.floor(at / width), 0),
  );
  const literal = (bytes: Uint8Array) => {
    const runs: number[] = [];
    for (let at = 0; at < bytes.length; at += 128) {
      const run = bytes.subarray(at, at + 128);
      runs.push(run.length - 1, ...run);
    }
    return Uint8Array.from(runs);
  };
  it.each([
    ['no compression', k_none, (bytes: Uint8Array) => bytes],
    ['PackBits', k_packBits, literal],
  ])('counts for nothing with %s', async (_, compression, pack) => {
    for (const predictor of [2, 3, 7]) {
      const bytes = makeTiff({
        width,
        height,
        bits: [32],
        strips: [pack(bytesOf(values))],
        tags: { 259: compression, 317: [predictor], 339: [3] },
      });
      const ours = await readOurs(bytes);
      expect(ours).toEqual([...values]);
      expect(ours).toEqual(await readLibtiff(bytes, 'b-w', 1));
    }
  });
});

it.each<[string, Partial<Page>, Record<number, number[]>]>([
  ['YCbCr', { bits: [8, 8, 8], photometric: 6 }, { 317: [2], 530: [1, 1] }],
  ['whole numbers', { bits: [12] }, { 317: [2] }],
  ['floating point', { bits: [32] }, { 317: [0], 339: [3] }],
])('a predictor that is not undone in %s is refused', async (_, page, tags) => {
  const bytes = makeTiff({
    width,
    height,
    strips: [deflated(new Uint8Array(width * height * 4))],
    ...page,
    tags: { 259: k_deflate, ...tags },
  });
  const error = await readOurs(bytes).catch((thrown: CraneError) => thrown);
  expect(error).toMatchObject({ code: 'E_IMAGE_FORMAT', message: expect.stringContaining('predictor') });
});
