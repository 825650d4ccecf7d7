/** roi and ignore: what of a picture is looked at, and what follows from it. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { RawPicture } from '../../../src/images/raw-frame.js';
import { useToyModel } from './toy-engine.js';

const toy = useToyModel();

const [width, height] = [32, 24];
/** Dark, with a bright square at 16,8 of 8 x 8. What lies left of column 12 is given by `left`. */
function scene(left: (at: number) => number = () => 20): RawPicture {
  const data = new Uint8Array(width * height);
  for (let at = 0; at < data.length; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const isSquare = x >= 16 && x < 24 && y >= 8 && y < 16;
    data[at] = x < 12 ? left(at) : isSquare ? 250 : 20;
  }
  return { data, width, height, channels: 1 };
}
/** Hides what lies left of column 12. */
const leftMask: RawPicture = {
  data: Uint8Array.from({ length: width * height }, (_, at) => (at % width < 12 ? 1 : 0)),
  width,
  height,
  channels: 1,
};
const noise = (at: number) => (at * 7919) % 256;

describe('roi', () => {
  const roi = { x: 12, y: 4, width: 16, height: 16 };

  it('is scored as the cut picture is, its regions in pixels of the whole', async () => {
    const { engine } = await toy.open();
    const { data } = scene();
    const cut = new Uint8Array(16 * 16);
    for (let y = 0; y < 16; y++)
      cut.set((data as Uint8Array).subarray((y + 4) * width + 12, (y + 4) * width + 28), y * 16);
    const wanted = { map: true, regions: true, mapThreshold: 0.5, mapSize: 'picture' } as const;
    const ofCut = await engine.score({ data: cut, width: 16, height: 16, channels: 1 }, wanted);
    const ofRoi = await engine.score(scene(noise), { ...wanted, roi });
    expect(ofRoi).toMatchObject({ score: ofCut.score, width, height, roi, mapMax: ofCut.mapMax });
    expect(ofRoi.map).toMatchObject({ width: 16, height: 16, data: ofCut.map!.data });
    expect(ofCut.regions).toMatchObject([{ x: 4, y: 4, width: 8, height: 8 }]);
    expect(ofRoi.regions).toMatchObject([{ x: 16, y: 8, width: 8, height: 8 }]);
    expect(ofRoi.model).not.toBe(ofCut.model);
  });

  it('cuts the colour filters of a sensor where they are, and 16 bits', async () => {
    const { addon, engine } = await toy.open();
    const data = Uint16Array.from({ length: width * height }, (_, at) => at);
    await engine.score(
      { data, width, height, channels: 1 },
      { roi: { x: 1, y: 1, width: 8, height: 8 }, valueRange: { low: 0, high: 255 } },
    );
    const seen = addon.log.passes.at(-1)!.requests[0]!.picture;
    expect([seen.width, seen.height, seen.data[0], seen.data[8]]).toEqual([8, 8, 33, 65]);
  });

  it.each([
    [{ x: 0, y: 0, width: 33, height: 8 }, 'E_IMAGE_SHAPE'],
    [{ x: 24, y: 20, width: 8, height: 8 }, 'E_IMAGE_SHAPE'],
    [{ x: 0, y: 0, width: 4, height: 24 }, 'E_IMAGE_TOO_SMALL'],
    [{ x: -1, y: 0, width: 8, height: 8 }, 'E_USAGE'],
    [{ x: 0, y: 0, width: 8, height: 0 }, 'E_USAGE'],
    [{ x: 0.5, y: 0, width: 8, height: 8 }, 'E_USAGE'],
    [{ x: 999_999_999, y: 0, width: 999_999_999, height: 999_999_999 }, 'E_IMAGE_SHAPE'],
    [{ x: 0, y: 0, width: 1_000_000_000, height: 8 }, 'E_USAGE'],
    ['0,0,8,8', 'E_USAGE'],
  ])('of %j is refused with %s', async (wrong, code) => {
    const { engine } = await toy.open();
    await expect(engine.score(scene(), { roi: wrong as never })).rejects.toMatchObject({ code });
  });

  it('may be a picture’s own in a stream, and is refused beside a bank', async () => {
    const { engine } = await toy.open();
    const results = [];
    for await (const result of engine.scoreMany([{ input: scene(), roi }, scene()])) results.push(result);
    expect(results).toMatchObject([{ roi }, { index: 1 }]);
    expect(results[1]).not.toHaveProperty('roi');
    const bank = await engine.learnNormals([scene()]);
    await expect(engine.score(scene(), { normals: bank, roi })).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(engine.score(scene(), { normals: bank, ignore: leftMask })).rejects.toMatchObject({
      code: 'E_USAGE',
    });
  });
});

describe('ignore', () => {
  const wanted = { map: true, regions: true, mapThreshold: 0.5, imageScore: 'fused' } as const;

  it('makes nothing depend on what the mask hides', async () => {
    const { engine } = await toy.open();
    const plain = await engine.score(scene(), { ...wanted, ignore: leftMask });
    const other = await engine.score(scene(noise), { ...wanted, ignore: leftMask });
    const { ms: _, ...told } = other;
    expect(told).toEqual({ ...plain, ms: undefined, map: expect.anything() });
    expect(other.map!.data).toEqual(plain.map!.data);
    expect(other).toMatchObject({ ignoredPixels: 12 * height, width, height });
    expect((await engine.score(scene(noise), wanted)).regions).not.toEqual(other.regions);
  });

  it('takes the map of what is hidden to its lowest value, and score and regions with it', async () => {
    const { engine } = await toy.open();
    const square: RawPicture = {
      ...leftMask,
      data: Uint8Array.from({ length: width * height }, (_, at) => (at % width >= 12 ? 255 : 0)),
    };
    const { score, mapMax, map, regions, anomalous } = await engine.score(scene(), {
      ...wanted,
      ignore: square,
      imageScore: 'map-max',
      threshold: 0.5,
    });
    expect([map!.width, map!.height]).toEqual([width, height]);
    for (const [at, value] of map!.data.entries())
      expect(value).toBe(at % width >= 12 ? 0 : Math.fround(20 / 255));
    expect(score).toBe(mapMax);
    expect(mapMax).toBeCloseTo(20 / 255);
    expect([regions, anomalous]).toEqual([[], false]);
    // Also where the lowest value reaches the threshold.
    const all = await engine.score(scene(), { ...wanted, mapThreshold: 0, ignore: square });
    expect(all.regions).toMatchObject([{ x: 0, y: 0, width: 12, height, area: 12 * height }]);
  });

  it('holds in the heat map, and together with roi', async () => {
    const { engine } = await toy.open();
    const roi = { x: 8, y: 0, width: 16, height: 16 };
    const { heatmap, ignoredPixels } = await engine.score(scene(noise), {
      heatmap: true,
      heatmapFormat: 'png',
      legend: false,
      roi,
      ignore: leftMask,
    });
    const { data, info } = await sharp(heatmap).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, ignoredPixels]).toEqual([16, 16, 4 * 16]);
    // The fake draws the share of the range in red: none where it is ignored.
    expect([data[0], data[3 * 3], data[3 * 8]]).toEqual([0, 0, expect.any(Number)]);
    expect(data[3 * 5]).toBeGreaterThan(0);
  });

  it('reads a mask as a file or a stream, by its colours and not by its alpha', async () => {
    const { engine } = await toy.open();
    const opaque = {
      create: { width, height, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 1 } },
    } as const;
    const png = await sharp(opaque).png().toBuffer();
    expect((await engine.score(scene(), { ignore: png })).ignoredPixels).toBe(0);
    expect(
      (await engine.score(scene(), { ignore: new Blob([new Uint8Array(png)]).stream() })).ignoredPixels,
    ).toBe(0);
  });

  it.each([
    ['another size', { ...leftMask, width: 24, height: 32 }, 'E_IMAGE_SHAPE'],
    ['every pixel', { ...leftMask, data: new Uint8Array(width * height).fill(1) }, 'E_IMAGE_SHAPE'],
    ['no picture', new Uint8Array(100), 'E_IMAGE_DECODE'],
    ['no such file', '/nowhere/mask.png', 'E_INPUT_NOT_FOUND'],
    ['a number', 7, 'E_USAGE'],
  ])('of %s is refused', async (_what, mask, code) => {
    const { engine } = await toy.open();
    await expect(engine.score(scene(), { ignore: mask as never })).rejects.toMatchObject({ code });
    expect(engine.decodedBytes).toBe(0);
  });

  it('of too many pixels is refused before it is decoded', async () => {
    const { engine } = await toy.open({ maxPixels: 1000 });
    const bomb = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: 'black' } })
      .png()
      .toBuffer();
    await expect(engine.score(scene(), { ignore: bomb })).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
    });
  });
});
