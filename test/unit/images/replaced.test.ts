import { rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';
import { inScratch } from '../../cli/crane-native.js';

const decode = (input: unknown) =>
  decodePicture(toPictureSource(input), { reading: readingOf({}), maxPixels: 1e6 });

const encoded = (side: number, step: number, format: 'png' | 'jpeg' | 'webp' | 'tiff' | 'gif') => {
  const data = Buffer.alloc(side * side * 3).map((_, at) => (at * step) % 251);
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .toFormat(format)
    .toBuffer();
};

// The library that reads keeps what it read by the file's name unless it is told not to, every time.
it.each(['png', 'jpeg', 'webp', 'tiff', 'gif'] as const)(
  'reads what a %s file holds now, not what was there before',
  async (format) => {
    await inScratch(async (scratch) => {
      const path = join(scratch, `part.${format}`);
      const pictures = [
        await encoded(40, 7919, format),
        await encoded(40, 31, format),
        await encoded(56, 7, format),
      ];
      for (const bytes of [...pictures, ...pictures]) {
        await writeFile(`${path}.new`, bytes);
        await rename(`${path}.new`, path);
        // As a program or thread does that loads a copy of the library of its own.
        (createRequire(import.meta.url)('sharp') as typeof sharp).cache(true);
        const fresh = await decode(bytes);
        const { data, width, height } = await decode(path);
        expect([width, height]).toEqual([fresh.width, fresh.height]);
        expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(fresh.data.buffer))).toBe(0);
        await writeFile(path, pictures[0]!);
        expect((await decode(path)).width).toBe(40);
      }
    });
  },
);
