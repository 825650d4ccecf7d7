import { expect, it } from 'vitest';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { mostPngChunks, walkPng } from '../../../src/images/png-chunks.js';
import { readingOf } from '../../../src/images/reading.js';
import { type Chunk, makePng } from './make-png.js';

const size = { width: 9, height: 8 };
const rows = new Uint8Array(size.height * (size.width + 1));
const text = (bytes: number, end = ''): Chunk => ({
  name: 'tEXt',
  bytes: Buffer.concat([Buffer.from('note\0'), Buffer.alloc(bytes, 'a'), Buffer.from(end)]),
});
const animation = (frames: number): Chunk => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(frames);
  return { name: 'acTL', bytes };
};
const png = (before: readonly Chunk[], after: readonly Chunk[] = []) =>
  makePng(size, { bits: 8, colourType: 0 }, rows, { before, after });
const decode = (bytes: Uint8Array) =>
  decodePicture(toPictureSource(bytes, 'a.png'), { maxPixels: 1e6, reading: readingOf() });

it.each([
  ['at once', [animation(2)]],
  ['behind a text of 100 KB', [text(100_000), animation(3)]],
  ['behind many small texts', [...Array.from({ length: 3000 }, () => text(1)), animation(2)]],
  ['behind a text that speaks of it', [text(10, 'acTL\0\0\0\x01'), animation(2)]],
])('an animated PNG that says so %s is refused', async (_, before) => {
  const frames = before.at(-1)!.bytes[3];
  await expect(decode(png(before))).rejects.toMatchObject({
    code: 'E_IMAGE_ANIMATED',
    message: `a.png: has ${frames} frames, expected one`,
  });
});

it.each([
  ['whose comment speaks of animations', [text(10, 'acTLxxxx')], []],
  ['with the start of a chunk inside a comment', [text(0, '\0\0\0\x08acTL\0\0\0\x09')], []],
  ['of one frame', [animation(1)], []],
  ['with such a chunk behind its pixels, where it counts for nobody', [], [animation(2)]],
])('a still PNG %s is read', async (_, before, after) => {
  const { mode, width, height } = await decode(png(before, after));
  expect([mode, width, height]).toEqual(['L', size.width, size.height]);
});

it('reads small chunks together, and steps over large ones', async () => {
  const file = png([...Array.from({ length: 2000 }, () => text(1)), text(1_000_000)]);
  let [reads, bytes] = [0, 0];
  const seen: string[] = [];
  const end = await walkPng(
    {
      bytes: file.length,
      read: async (position, length) => {
        const part = file.subarray(position, position + length);
        reads++;
        bytes += part.length;
        return part;
      },
    },
    ({ name }) => {
      seen.push(name);
      return name === 'IEND';
    },
  );
  expect([end, seen.length]).toEqual(['found', 2004]);
  expect(reads).toBeLessThan(10);
  expect(bytes).toBeLessThan(100_000);
});

it('more chunks than any picture has are refused where they could hide one', async () => {
  const many = png([...Array.from({ length: mostPngChunks }, () => text(0)), animation(2)]);
  const outcome = await decode(many).catch((error: unknown) => error);
  expect(outcome).toMatchObject({
    code: 'E_IMAGE_DECODE',
    message: expect.stringContaining('100000 chunks'),
  });
});
