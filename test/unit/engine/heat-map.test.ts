/** engine.heatMap, prompts loaded ahead, and pictures given as a Blob. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import { type FakeAddon, makeFakeAddon } from './fake-addon.js';
import { makeToyFolder, makeToyModel, writePicture } from './toy-model.js';

let folder: string;
let path: string;
let addon: FakeAddon;
let engine: Engine;
beforeAll(async () => {
  folder = await makeToyFolder();
  addon = makeFakeAddon();
  engine = await openEngine(addon, await makeToyModel(folder), { maxDecodedBytes: 4000 });
  path = await writePicture(join(folder, 'a.png'), 204, 200, 100);
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});
const mapOf = async () => (await engine.score(path, { map: true })).map!;

describe('engine.heatMap', () => {
  it.each([
    [undefined, 'jpeg'],
    ['jpg', 'jpeg'],
    ['png', 'png'],
    ['webp', 'webp'],
  ] as const)('in the format %s gives a picture with its legend below', async (heatmapFormat, format) => {
    const bytes = await engine.heatMap(path, await mapOf(), heatmapFormat ? { heatmapFormat } : {});
    const facts = await sharp(bytes).metadata();
    expect([facts.format, facts.width]).toEqual([format, 200]);
    expect(facts.height).toBeGreaterThan(100);
  });

  it('without the legend is the picture alone, in colours of the range', async () => {
    const map = await mapOf();
    const redAt = async (options: object) => {
      const bytes = await engine.heatMap(path, map, { heatmapFormat: 'png', legend: false, ...options });
      const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([200, 100]);
      return data[0];
    };
    // The fake paints the share of the range in red.
    expect(await redAt({})).toBe(204);
    expect(await redAt({ heatmapRange: { low: 0, high: 2 } })).toBe(102);
  });

  it('holds its decoded picture within the memory limit, and gives it back', async () => {
    const map = await mapOf();
    await Promise.all(Array.from({ length: 5 }, () => engine.heatMap(path, map)));
    expect(engine.decodedBytes).toBe(0);
  });

  it.each([
    [{ heatmapFormat: 'gif' }, /one of jpg, png, webp/],
    [{ heatmapRange: { low: 1, high: 0 } }, /LOW below HIGH/],
    [{ legend: 'no' }, /true or false/],
    [{ threshold: 0.1 }, /heatMap takes no option "threshold"/],
  ])('refuses %j', async (options, message) => {
    await expect(engine.heatMap(path, await mapOf(), options as object)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(message),
    });
  });

  it('refuses what is no map, no picture, and work that was given up', async () => {
    const map = await mapOf();
    await expect(engine.heatMap(path, {} as never)).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(engine.heatMap(join(folder, 'none.png'), map)).rejects.toMatchObject({
      code: 'E_INPUT_NOT_FOUND',
    });
    const signal = AbortSignal.abort();
    await expect(engine.heatMap(path, map, { signal })).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(engine.decodedBytes).toBe(0);
  });
});

describe('engine.preparePrompts', () => {
  it('encodes a set before it is used, once', async () => {
    const before = addon.log.prompts.length;
    await engine.preparePrompts({ prompts: 'other' });
    expect(addon.log.prompts.length).toBe(before + 1);
    await engine.score(path, { prompts: 'other' });
    expect(addon.log.prompts.length).toBe(before + 1);
  });

  it('tells of a faulty set, and what was used so far stays', async () => {
    await expect(engine.preparePrompts({ prompts: join(folder, 'none.pth') })).rejects.toMatchObject({
      code: 'E_PROMPTS',
    });
    expect((await engine.score(path)).score).toBeGreaterThan(0);
  });
});

describe('a Blob', () => {
  it('is scored like the file, under its own name where it has one', async () => {
    const { score } = await engine.score(path);
    const bytes = await sharp(path).png().toBuffer();
    const blob = new Blob([new Uint8Array(bytes)]);
    expect(await engine.score(blob)).toMatchObject({ score, input: '<bytes>' });
    const file = new File([new Uint8Array(bytes)], 'part.png');
    expect(await engine.score(file)).toMatchObject({ score, input: 'part.png' });
    expect(await engine.score(file, { name: 'x' })).toMatchObject({ input: 'x' });
    await writeFile(join(folder, 'none'), '');
    await expect(engine.score(new Blob(['nothing']))).rejects.toMatchObject({ code: 'E_IMAGE_DECODE' });
  });
});
