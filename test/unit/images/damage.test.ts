import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';
import { makeTiff } from './make-tiff.js';

const pictures = new URL('./pictures/', import.meta.url).pathname;
const file = (name: string) => readFileSync(join(pictures, name));
const cut = (name: string, share: number) => file(name).subarray(0, Math.floor(file(name).length * share));
const messageOf = (bytes: Uint8Array, name: string) =>
  decodePicture(toPictureSource(bytes, name), { maxPixels: 1e8, reading: readingOf() }).then(
    () => 'no error',
    ({ code, message }: CraneError) => `${code} ${message}`,
  );

/** A JPEG whose frame states another precision. */
function jpegOf(offset: number, value: number): Buffer {
  const bytes = Buffer.from(file('l.jpg'));
  let at = 2;
  while (bytes[at + 1] !== 0xc0) at += 2 + bytes.readUInt16BE(at + 2);
  bytes[at + offset] = value;
  return bytes;
}

const bad: [string, Uint8Array, RegExp][] = [
  ['cut.png', cut('rgb8.png', 0.5), /it ends inside a chunk \(IDAT\)/],
  ['no-end.png', file('rgb8.png').subarray(0, 33), /it ends before its last chunk/],
  ['cut.jpg', cut('rgb_q95_s0.jpg', 0.7), /it ends before its end mark/],
  ['head.jpg', cut('rgb_q95_s0.jpg', 0.1), /it ends inside its header/],
  ['12-bit.jpg', jpegOf(4, 12), /a JPEG of 12 bits/],
  ['lossless.jpg', jpegOf(1, 0xc3), /a lossless JPEG/],
  ['cut.webp', cut('lossless.webp', 0.5), /it ends after \d+ of \d+ bytes/],
  ['cut.gif', cut('p.gif', 0.6), /it ends before its end mark/],
  [
    'lzw.tif',
    makeTiff({ width: 9, height: 9, strips: [new Uint8Array(40)], tags: { 259: [5] } }),
    /its pixels are damaged/,
  ],
  [
    'lerc.tif',
    makeTiff({ width: 9, height: 9, strips: [new Uint8Array(81)], tags: { 259: [34887] } }),
    /compressed with LERC/,
  ],
];

describe('the reason of a damaged file (case C11)', () => {
  it.each(bad)('%s has its own', async (name, bytes, reason) => {
    expect(await messageOf(bytes, name)).toMatch(reason);
  });

  it('is the same whatever else is read at the same time, and names no other file', async () => {
    const alone: string[] = [];
    for (const [name, bytes] of bad) alone.push(await messageOf(bytes, name));
    for (let round = 0; round < 5; round++) {
      const together = await Promise.all(bad.map(([name, bytes]) => messageOf(bytes, name)));
      expect(together).toEqual(alone);
    }
    for (const [at, [name]] of bad.entries()) expect(alone[at]).toContain(name);
    expect(alone.join()).not.toMatch(/vips|libspng|pngload|VipsJpeg/i);
  });
});
