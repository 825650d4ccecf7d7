import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';

const width = 32;
const height = 24;
const colours = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 5) % 256);
const raw = { width, height, channels: 3 as const };
const decode = (bytes: Uint8Array) =>
  decodePicture(toPictureSource(bytes), { maxPixels: 1e6, reading: readingOf() });

describe('AVIF (case C4)', () => {
  it('is read as the library decodes it', async () => {
    const bytes = await sharp(colours, { raw })
      .avif({ lossless: true, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const picture = await decode(bytes);
    const library = await sharp(bytes).raw().toBuffer();
    expect([picture.mode, picture.width, picture.height, picture.levels]).toEqual([
      'RGB',
      width,
      height,
      undefined,
    ]);
    expect(Buffer.compare(Buffer.from(picture.data as Uint8Array), library)).toBe(0);
    const worst = Math.max(...Array.from(colours, (value, at) => Math.abs(value - picture.data[at]!)));
    expect(worst).toBeLessThanOrEqual(2);
  });

  it('with alpha keeps it for the resize', async () => {
    const rgba = await sharp(colours, { raw }).ensureAlpha(0.5).avif({ lossless: true }).toBuffer();
    expect((await decode(rgba)).mode).toBe('RGBA');
  });

  it('cut off is an error with a code', async () => {
    const bytes = await sharp(colours, { raw }).avif().toBuffer();
    for (const share of [0.2, 0.5, 0.9])
      await expect(decode(bytes.subarray(0, Math.floor(bytes.length * share)))).rejects.toMatchObject({
        code: 'E_IMAGE_DECODE',
      });
  });
});
