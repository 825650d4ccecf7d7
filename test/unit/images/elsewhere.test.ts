/** Pictures read on a thread of the pool, as they are built, beside the same code on this thread. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { labelMask as labelMaskBuilt } from '../../../dist/data/label-mask.js';
import { decodePicture as decodeBuilt } from '../../../dist/images/decode.js';
import { labelMask } from '../../../src/data/label-mask.js';
import { toCraneError } from '../../../src/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { sniffFormat } from '../../../src/images/format.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const files = ['pictures', 'field']
  .flatMap((folder) => readdirSync(join(here, folder)).map((name) => join(folder, name)))
  .filter((name) => {
    const bytes = readFileSync(join(here, name));
    return ['tiff', 'bmp', 'pnm', 'heic', 'jp2'].includes(sniffFormat(bytes) ?? '') || bytes[24] === 16;
  });

type Decode = typeof decodePicture;
const outcome = async (decode: Decode, input: string | Uint8Array, reading: Partial<Reading> = {}) => {
  const reserved: number[] = [];
  const reserve = async (bytes: number) => void reserved.push(bytes);
  const options = { maxPixels: 1e6, reading: { ...readingOf(), ...reading }, reserve };
  const source = toPictureSource(input, 'picture');
  const picture = await decode(source, options).catch((thrown) => toCraneError(thrown).toJSON());
  return { picture, reserved };
};

describe('a picture read on a thread of the pool', () => {
  it('is met in every format of its own', () => {
    expect(files.length).toBeGreaterThan(30);
  });

  it.each(files)('%s equals itself read here, also from bytes, which stay the caller’s', async (name) => {
    const path = join(here, name);
    const expected = await outcome(decodePicture, path);
    expect(await outcome(decodeBuilt as Decode, path)).toEqual(expected);
    const bytes = new Uint8Array(readFileSync(path));
    const before = bytes.slice();
    expect((await outcome(decodeBuilt as Decode, bytes)).picture).toEqual(expected.picture);
    expect(bytes).toEqual(before);
    const masks = [labelMask, labelMaskBuilt].map((read) =>
      read(path).catch((thrown) => toCraneError(thrown).toJSON()),
    );
    expect(await masks[1]).toEqual(await masks[0]);
  });

  it('frames of a camera keep their array, and have the levels that they have here', async () => {
    const data = Uint16Array.from({ length: 3 * 16 * 16 }, (_, at) => at * 5);
    const frame = { data, width: 16, height: 16, channels: 3, bits: 12 } as const;
    const options = { maxPixels: 1e6, reading: readingOf() };
    const built = await decodeBuilt(toPictureSource(frame), options);
    expect(built).toEqual(await decodePicture(toPictureSource(frame), options));
    expect(data.at(-1)).toBe(767 * 5);
  });

  it('a label map by its values equals itself here', async () => {
    const values = [{ text: '30', number: 30 }];
    for (const name of ['pictures/l8.png', 'pictures/l8.tif', 'pictures/l8.bmp', 'pictures/l16.png']) {
      const [one, other] = [labelMask, labelMaskBuilt].map((read) => read(join(here, name), {}, values));
      expect(await other).toEqual(await one);
    }
  });
});
