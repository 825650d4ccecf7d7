import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativePicture } from '../../../src/addon/native.js';
import type { CraneError } from '../../../src/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';
import { asNobody } from '../../as-nobody.js';
import { codeOf } from '../awaiting.js';

const pictures = new URL('./pictures/', import.meta.url).pathname;
const expected = JSON.parse(readFileSync(join(pictures, 'expected.json'), 'utf8')) as Record<
  string,
  { mode: string; width: number; height: number; sha256: string }
>;

/** As the reference reads: Pillow's modes and bytes. */
const decode = (input: unknown, { exif = false, ...options }: { exif?: boolean; maxPixels?: number } = {}) =>
  decodePicture(toPictureSource(input), {
    reading: readingOf({ compat: { exif, grey16: true } }),
    maxPixels: 1e8,
    ...options,
  });

/** Pillow's mode and bytes: LA and RGBA of equal channels are the same picture, bilevel is resized like a palette. */
function asPillow(picture: NativePicture, mode: string): { mode: string; bytes: Uint8Array } {
  const bytes = new Uint8Array(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength);
  if (mode === '1' && picture.mode === 'P') return { mode: '1', bytes };
  if (mode === 'LA' && picture.mode === 'RGBA') {
    return { mode, bytes: bytes.filter((_, at) => at % 4 === 0 || at % 4 === 3) };
  }
  return { mode: picture.mode, bytes };
}

describe('decoding equals Pillow', () => {
  it.each(Object.entries(expected))('%s', async (name, { mode, width, height, sha256 }) => {
    const picture = await decode(join(pictures, name));
    const pillow = asPillow(picture, mode);
    expect([pillow.mode, picture.width, picture.height]).toEqual([mode, width, height]);
    expect(createHash('sha256').update(pillow.bytes).digest('hex')).toBe(sha256);
  });

  it('gives the same pixels for a path, bytes, a file: and a data: URL', async () => {
    const path = join(pictures, 'rgb8.png');
    const bytes = await readFile(path);
    const want = (await decode(path)).data;
    for (const input of [
      bytes,
      new Uint8Array(bytes),
      pathToFileURL(path),
      pathToFileURL(path).href,
      `data:image/png;base64,${bytes.toString('base64')}`,
      `data:image/png,${[...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('')}`,
    ]) {
      expect(Buffer.compare((await decode(input)).data as Buffer, want as Buffer)).toBe(0);
    }
  });

  it('turns a picture as its EXIF orientation says, and leaves it with exif false', async () => {
    const path = join(pictures, 'exif6.jpg');
    expect(await decode(path, { exif: true })).toMatchObject({ width: 47, height: 61 });
    expect(await decode(path, { exif: false })).toMatchObject({ width: 61, height: 47 });
  });
});

describe('refusals', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crane decode é '));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['refused_cmyk.jpg', 'E_IMAGE_COLOUR'],
    ['refused_float.tif', 'E_IMAGE_RANGE'],
    ['refused_transparent.gif', 'E_IMAGE_COLOUR'],
    ['refused_frames.gif', 'E_IMAGE_ANIMATED'],
    ['refused_frames.webp', 'E_IMAGE_ANIMATED'],
    ['refused_frames.tif', 'E_IMAGE_ANIMATED'],
    ['refused_frames.png', 'E_IMAGE_ANIMATED'],
  ])('%s is %s', async (name, code) => {
    expect(await codeOf(decode(join(pictures, name)))).toBe(code);
  });

  it('names a missing file, a folder, an empty file and bytes that are no picture', async () => {
    await writeFile(join(folder, 'empty.png'), '');
    await writeFile(join(folder, 'text.png'), 'this is no picture');
    expect(await codeOf(decode(join(folder, 'none.png')))).toBe('E_INPUT_NOT_FOUND');
    expect(await codeOf(decode(folder))).toBe('E_INPUT_IS_DIRECTORY');
    expect(await codeOf(decode(join(folder, 'empty.png')))).toBe('E_IMAGE_EMPTY');
    expect(await codeOf(decode(join(folder, 'text.png')))).toBe('E_IMAGE_DECODE');
    expect(await codeOf(decode(new Uint8Array(0)))).toBe('E_IMAGE_EMPTY');
    expect(await codeOf(decode('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBe('E_INPUT_NOT_FOUND');
    expect(
      await codeOf(decode(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'))),
    ).toBe('E_IMAGE_DECODE');
  });

  it('names a format that is known but not read, by its bytes or, where those tell nothing, by its name', async () => {
    const messageOf = (work: Promise<unknown>) =>
      work.then(
        () => 'no error',
        (error: CraneError) => `${error.code} ${error.message} | ${error.hint}`,
      );
    await writeFile(join(folder, 'scan.tga'), Buffer.alloc(40, 2));
    await writeFile(join(folder, 'wrong-name.png'), Buffer.from('\0\0\0\x0cJXL \r\n\x87\n', 'latin1'));
    expect(await messageOf(decode(join(folder, 'scan.tga')))).toMatch(/^E_IMAGE_FORMAT .*TGA.*PNG/);
    expect(await messageOf(decode(join(folder, 'wrong-name.png')))).toMatch(/^E_IMAGE_FORMAT .*JPEG XL/);
  });

  it('names a file that may not be read', async () => {
    const path = join(folder, 'closed.png');
    await writeFile(path, 'x');
    await chmod(path, 0);
    await chmod(folder, 0o755);
    expect(await asNobody(() => codeOf(decode(path)))).toBe('E_INPUT_PERMISSION');
  });

  it.each(['rgb8.png', 'rgb_q95_s0.jpg', 'lossless.webp', 'rgb8_lzw.tif', 'rgb8.bmp', 'p8.bmp', 'p.gif'])(
    'a truncated %s is E_IMAGE_DECODE at every length',
    async (name) => {
      const bytes = await readFile(join(pictures, name));
      for (let part = 1; part <= 9; part++) {
        const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 10));
        expect([part, await codeOf(decode(cut))]).toEqual([part, 'E_IMAGE_DECODE']);
      }
    },
  );

  it('refuses a picture above the pixel limit before decoding it', async () => {
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'grey' } })
      .png()
      .toBuffer();
    let reserved = 0;
    const work = decodePicture(toPictureSource(bomb), {
      reading: readingOf(),
      maxPixels: 1e6,
      reserve: async () => void reserved++,
    });
    expect(await codeOf(work)).toBe('E_IMAGE_TOO_LARGE');
    expect(reserved).toBe(0);
    expect(await codeOf(decode(join(pictures, 'rgb8.bmp'), { maxPixels: 1000 }))).toBe('E_IMAGE_TOO_LARGE');
  });

  it('refuses a side below eight pixels', async () => {
    const sliver = await sharp({ create: { width: 100, height: 7, channels: 3, background: 'grey' } })
      .png()
      .toBuffer();
    expect(await codeOf(decode(sliver))).toBe('E_IMAGE_TOO_SMALL');
  });

  it('reads no URL of another kind', () => {
    expect(() => toPictureSource('https://example.com/a.png')).toThrow(/not read/);
  });

  it('checks the length of raw pixels', async () => {
    expect(() => toPictureSource({ data: new Uint8Array(10), width: 2, height: 2, channels: 3 })).toThrow(
      /10 values, expected 2 x 2 x 3 = 12/,
    );
    expect(() => toPictureSource({ data: new Uint8Array(16), width: 2, height: 2, channels: 5 })).toThrow(
      /Expected 1, 2, 3 or 4 for channels/,
    );
    expect(await decode({ data: new Uint16Array(100), width: 10, height: 10, channels: 1 })).toMatchObject({
      mode: 'I;16',
    });
  });
});
