import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NativePicture } from '../../../src/addon/native.js';
import type { DataItem } from '../../../src/data/data-set.js';
import type { GreyMask } from '../../../src/data/label-mask.js';
import { mosaicOfMasks, mosaicOfPictures } from '../../../src/data/mosaic.js';
import { MosaicPool, mosaicKey, planMosaics } from '../../../src/data/mosaic-plan.js';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { contentHash } from '../../../src/files/content-hash.js';
import { plainMosaics } from './plain-mosaic.js';
import { makeRoot, makeTree } from './tree.js';

function items(counts: Record<string, [normal: number, anomalous: number]>): DataItem[] {
  return Object.entries(counts).flatMap(([className, both]) =>
    both.flatMap((count, label) =>
      Array.from({ length: count }, (_, index): DataItem => {
        const imagePath = `${className}/${label}/${index}.png`;
        return {
          image: `/${imagePath}`,
          imagePath,
          mask: label === 1 ? `/m/${imagePath}` : null,
          maskPath: label === 1 ? `m/${imagePath}` : null,
          masks: label === 1 ? [`/m/${imagePath}`] : [],
          maskPaths: label === 1 ? [`m/${imagePath}`] : [],
          className,
          kind: label === 1 ? 'hole' : 'good',
          isAnomalous: label === 1,
        };
      }),
    ),
  );
}

describe('plans of mosaics', () => {
  const all = items({ carpet: [50, 50], pill: [30, 30], zipper: [10, 30] });

  it('are of one class and one label each, of the listed classes only, without repeating a picture', () => {
    const plans = planMosaics(all, { rate: 0.5, seed: 1, poolSize: 200 });
    expect(plans).toHaveLength(200);
    for (const { className, isAnomalous, tiles } of plans) {
      expect(['pill', 'zipper']).toContain(className);
      expect(new Set(tiles).size).toBe(4);
      for (const tile of tiles) expect(all[tile]).toMatchObject({ className, isAnomalous });
    }
    // Shares by number of pictures: 60 and 40 of 100.
    expect(plans.filter(({ className }) => className === 'pill')).toHaveLength(120);
  });

  it('are normal with weight 0.8', () => {
    const plans = planMosaics(all, { rate: 1, seed: 2, poolSize: 5000 });
    const normal = plans.filter(({ isAnomalous }) => !isAnomalous).length;
    expect(normal / plans.length).toBeCloseTo(0.8, 1); // standard deviation 0.006
  });

  it('depend on the seed and on nothing else', () => {
    const options = { rate: 0.3, seed: 1, poolSize: 50 };
    expect(planMosaics(all, options)).toEqual(planMosaics(all, options));
    expect(planMosaics(all, { ...options, seed: 2 })).not.toEqual(planMosaics(all, options));
  });

  it('are as many as an epoch takes, unless told otherwise; a rate of 0 plans none', () => {
    expect(planMosaics(all, { rate: 0.25, seed: 1 })).toHaveLength(25);
    expect(planMosaics(all, { rate: 0, seed: 1 })).toEqual([]);
    expect(planMosaics(items({ carpet: [9, 9] }), { rate: 1, seed: 1 })).toEqual([]);
    expect(planMosaics(items({ carpet: [9, 9] }), { rate: 1, seed: 1, classes: ['carpet'] })).toHaveLength(
      18,
    );
  });

  it('of a class with one label take that label, of few pictures the same one twice', () => {
    const few = items({ pill: [2, 0], screw: [0, 1] });
    const plans = planMosaics(few, { rate: 1, seed: 1, poolSize: 30 });
    expect(new Set(plans.map(({ className, isAnomalous }) => `${className} ${isAnomalous}`))).toEqual(
      new Set(['pill false', 'screw true']),
    );
  });

  it.each([
    { rate: -0.1 },
    { rate: 1.1 },
    { rate: Number.NaN },
    { rate: 1, poolSize: 0 },
    { rate: 1, poolSize: 1.5 },
  ])('refuses %j', (options) => {
    expect(() => planMosaics(all, { seed: 1, ...options })).toThrowError(
      expect.objectContaining({ code: 'E_USAGE' }),
    );
  });
});

describe('drawing from the pool', () => {
  const all = items({ carpet: [1, 0], pill: [4, 4] });

  it('replaces pictures at the rate, by mosaics of their own class', () => {
    const pool = new MosaicPool(planMosaics(all, { rate: 0.25, seed: 1, poolSize: 10 }), 0.25);
    const generator = SeededGenerator.of(1);
    const drawn = Array.from({ length: 4000 }, () => pool.draw({ className: 'pill' }, generator));
    const mosaics = drawn.filter((plan) => plan !== undefined);
    expect(mosaics.length / drawn.length).toBeCloseTo(0.25, 1);
    expect(new Set(mosaics).size).toBe(10);
    expect(mosaics.every(({ className }) => className === 'pill')).toBe(true);
  });

  it('draws no number for a class without mosaics', () => {
    const pool = new MosaicPool(planMosaics(all, { rate: 1, seed: 1 }), 1);
    const generator = SeededGenerator.of(1);
    const before = generator.state;
    expect(pool.draw({ className: 'carpet' }, generator)).toBeUndefined();
    expect(generator.state).toEqual(before);
  });
});

describe('the key of a mosaic', () => {
  let root: string;
  beforeEach(async () => {
    root = await makeRoot();
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is that of the contents of its tiles in their order, wherever they lie', async () => {
    const place = async (folder: string) => {
      const list = items({ pill: [0, 5] }).map((item) => ({
        ...item,
        image: join(root, folder, item.imagePath),
        mask: join(root, folder, item.maskPath!),
        masks: [join(root, folder, item.maskPath!)],
      }));
      for (const { imagePath, maskPath } of list)
        await makeTree(join(root, folder), { [imagePath]: imagePath, [maskPath!]: 'mask' });
      return list;
    };
    const [here, there] = [await place('here'), await place('there')];
    const plan = { className: 'pill', isAnomalous: true, tiles: [0, 1, 2, 3] as const };
    const key = await mosaicKey(plan, here);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(await mosaicKey(plan, there)).toBe(key);
    expect(await mosaicKey({ ...plan, tiles: [1, 0, 2, 3] }, here)).not.toBe(key);
    expect(await mosaicKey({ ...plan, tiles: [0, 1, 2, 4] }, here)).not.toBe(key);
    await writeFile(there[0]!.mask!, 'another mask');
    expect(await mosaicKey(plan, there)).not.toBe(key);
  });

  it('a changed file has another hash, an unchanged one the same', async () => {
    const file = join(root, 'a.bin');
    await writeFile(file, 'abc');
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect([await contentHash(file), await contentHash(file)]).toEqual([abc, abc]);
    await writeFile(file, 'abd');
    expect(await contentHash(file)).not.toBe(abc);
    await expect(contentHash(join(root, 'no'))).rejects.toMatchObject({ code: 'E_INPUT_NOT_FOUND' });
  });
});

describe('composing a mosaic', () => {
  const picture = (value: number, width: number, height: number): NativePicture => ({
    data: new Uint8Array(width * height * 3).fill(value),
    width,
    height,
    mode: 'RGB',
  });
  const mask = (width: number, height: number, marked: (x: number, y: number) => boolean): GreyMask => ({
    data: Uint8Array.from({ length: width * height }, (_, at) =>
      marked(at % width, Math.floor(at / width)) ? 7 : 0,
    ),
    width,
    height,
    mode: 'L',
  });
  const addon = plainMosaics(async (from, width, height) =>
    new Uint8Array(width * height * 3).fill(from.data[0]!),
  );
  const pictures = [picture(1, 5, 3), picture(2, 8, 8), picture(3, 2, 9), picture(4, 5, 3)];

  it('has the size of its first picture, tiles from the top left to the bottom right', async () => {
    const made = await mosaicOfPictures(pictures, addon);
    expect(made).toMatchObject({ width: 5, height: 3, mode: 'RGB' });
    const reds = Array.from({ length: 3 }, (_, y) =>
      Array.from({ length: 5 }, (_, x) => made.data[(y * 5 + x) * 3]).join(''),
    );
    expect(reds).toEqual(['11222', '33444', '33444']);
  });

  it('its mask marks the same places, with the masks’ own values', async () => {
    const masks = [
      mask(5, 3, () => true),
      mask(8, 8, (x) => x < 3),
      mask(2, 9, () => false),
      mask(5, 3, (_, y) => y === 2),
    ];
    const made = await mosaicOfMasks(masks, addon);
    const rows = Array.from({ length: 3 }, (_, y) => [...made.data.subarray(y * 5, y * 5 + 5)].join(''));
    // Second tile: columns 1, 4, 6 of 8; fourth: rows 0 and 2 of 3.
    expect(rows).toEqual(['77700', '00000', '00777']);
    expect(made).toMatchObject({ width: 5, height: 3, mode: 'L' });
  });

  it('three pictures are refused', async () => {
    await expect(mosaicOfPictures(pictures.slice(1), addon)).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(mosaicOfMasks([], addon)).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});
