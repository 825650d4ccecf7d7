/** Masks and mosaics by the engine's threads equal the plain loops; where the addon is not built there is nothing to compare. */
import { describe, expect, it } from 'vitest';
import type { NativePicture, PictureMode } from '../../../src/addon/native.js';
import { plainMasks } from '../../../src/data/plain-masks.js';
import { builtAddon } from '../models/weights/built-addon.js';
import { plainMosaics } from './plain-mosaic.js';

const addon = await builtAddon();

/** Numbers that look random and are the same every time. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
}

const channels: Partial<Record<PictureMode, number>> = { L: 1, LA: 2, RGB: 3, RGBA: 4, P: 3 };

function picture(
  mode: PictureMode,
  width: number,
  height: number,
  value: (at: number) => number,
): NativePicture {
  return {
    data: Uint8Array.from({ length: width * height * channels[mode]! }, (_, at) => value(at)),
    width,
    height,
    mode,
  };
}

/** Of each mode: any colours; few marks on black; one colour with holes; one colour that covers all; black alone. */
function* cases(): Generator<[string, NativePicture]> {
  for (const mode of Object.keys(channels) as PictureMode[]) {
    const count = channels[mode]!;
    const isAlpha = (at: number) => (mode === 'LA' || mode === 'RGBA') && at % count === count - 1;
    const next = noise(count);
    for (const [width, height] of [
      [1, 1],
      [7, 5],
      [701, 433],
    ] as const) {
      yield [`${mode} ${width} x ${height} of any colours`, picture(mode, width, height, next)];
      yield [
        `${mode} ${width} x ${height} with few marks`,
        picture(mode, width, height, () => (next() > 250 ? next() : 0)),
      ];
      yield [
        `${mode} ${width} x ${height} of one colour with holes`,
        picture(mode, width, height, (at) => (isAlpha(at) ? (next() > 128 ? 0 : next()) : 200)),
      ];
      yield [
        `${mode} ${width} x ${height} of one colour, opaque`,
        picture(mode, width, height, (at) => (isAlpha(at) ? 255 : 9)),
      ];
      yield [
        `${mode} ${width} x ${height} black`,
        picture(mode, width, height, (at) => (isAlpha(at) ? 255 : 0)),
      ];
    }
  }
}

const copyOf = (mask: NativePicture): NativePicture => ({ ...mask, data: Uint8Array.from(mask.data) });

describe.skipIf(addon === undefined)('on the engine’s threads', () => {
  it.each([...cases()])('%s becomes the same marks and the same grey', async (_name, mask) => {
    for (const isLossy of [false, true]) {
      const native = await addon!.markMask(mask, isLossy);
      expect(Buffer.compare(native, await plainMasks.markMask(copyOf(mask), isLossy)), `${isLossy}`).toBe(0);
    }
    expect(Buffer.compare(await addon!.greyMask(mask), await plainMasks.greyMask(mask))).toBe(0);
  });

  it('masks are united and turned alike', async () => {
    const [a, b] = [picture('L', 97, 61, noise(1)), picture('L', 97, 61, noise(2))];
    const [native, plain] = [copyOf(a), copyOf(a)];
    await addon!.uniteMasks(native.data as Uint8Array, b.data as Uint8Array);
    await plainMasks.uniteMasks(plain.data as Uint8Array, b.data as Uint8Array);
    expect(Buffer.compare(native.data as Uint8Array, plain.data as Uint8Array)).toBe(0);
    for (const orientation of [5, 6, 7, 8])
      expect(
        Buffer.compare(await addon!.turnMask(a, orientation), await plainMasks.turnMask(a, orientation)),
        `orientation ${orientation}`,
      ).toBe(0);
  });

  it('mosaics have the same pixels, of odd sides too', async () => {
    const plain = plainMosaics((...args) => addon!.resizePicture(...args));
    for (const [width, height] of [
      [2, 2],
      [5, 3],
      [64, 31],
    ] as const) {
      const pictures = (['RGB', 'L', 'RGBA', 'P'] as const).map((mode, at) =>
        picture(mode, 40 + 7 * at, 30 + at, noise(at)),
      );
      const masks = [1, 2, 3, 4].map((seed) => picture('L', 9 + seed, 5 + 3 * seed, noise(seed)));
      expect(
        Buffer.compare(
          await addon!.mosaicOfPictures(pictures, width, height),
          await plain.mosaicOfPictures(pictures, width, height),
        ),
      ).toBe(0);
      expect(
        Buffer.compare(
          await addon!.mosaicOfMasks(masks, width, height),
          await plain.mosaicOfMasks(masks, width, height),
        ),
      ).toBe(0);
    }
  });

  it('wrong calls are refused before any memory is read', async () => {
    const grey = picture('L', 4, 4, () => 1);
    const deep: NativePicture = { data: new Uint16Array(4), width: 2, height: 2, mode: 'I;16' };
    await expect((async () => addon!.markMask(deep, false))()).rejects.toMatchObject({
      code: 'E_IMAGE_SHAPE',
    });
    await expect((async () => addon!.turnMask(grey, 1))()).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
    await expect(
      (async () => addon!.uniteMasks(new Uint8Array(3), new Uint8Array(4)))(),
    ).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
    await expect((async () => addon!.mosaicOfMasks([grey], 4, 4))()).rejects.toMatchObject({
      code: 'E_IMAGE_SHAPE',
    });
    await expect(
      (async () => addon!.mosaicOfPictures([grey, grey, grey, grey], 1, 4))(),
    ).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
  });

  it('results can be handed to another thread', async () => {
    const grey = await addon!.greyMask(picture('RGB', 300, 200, noise(5)));
    const moved = structuredClone(grey, { transfer: [grey.buffer as ArrayBuffer] });
    expect([grey.length, moved.length]).toEqual([0, 60_000]);
  });
});
