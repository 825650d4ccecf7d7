import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { heatMapFile } from '../../../src/images/heat-map.js';
import { maskOutline } from '../../../src/images/mask-outline.js';
import { makeFakeAddon } from '../engine/fake-addon.js';

const addon = makeFakeAddon();
const map = new AnomalyMap(
  { data: Float32Array.from({ length: 12 }, (_, at) => at / 11), width: 4, height: 3 },
  addon,
);

describe('heat maps', () => {
  const picture = { data: new Uint8Array(200 * 100).fill(90), width: 200, height: 100, mode: 'L' as const };

  it("hold the overlay in the picture's own pixels and a legend below", async () => {
    const file = await heatMapFile(addon, picture, map, {
      low: 0,
      high: 1,
      mapThreshold: 0.5,
      format: 'png',
    });
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 200, height: 126 });
    const overlay = await addon.overlay(picture, map.data, 4, 3, 0, 1);
    expect(Buffer.compare(data.subarray(0, overlay.length), Buffer.from(overlay))).toBe(0);
  });

  it('use one scale: the same value has the same colour in every picture', async () => {
    const style = { low: 0, high: 2, mapThreshold: null, format: 'png' as const };
    const brighter = new AnomalyMap({ data: map.data.map((value) => value + 1), width: 4, height: 3 }, addon);
    const top = async (shown: AnomalyMap, x: number) => {
      const { data } = await sharp(await heatMapFile(addon, picture, shown, style))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return data[3 * (99 * 200 + x)];
    };
    expect(await top(map, 199)).toBe((await top(brighter, 0 * 200)) === undefined ? -1 : 128);
    expect(await top(brighter, 199)).toBe(255);
  });
});

it('the outline of a mask is a ring around it', async () => {
  const mask = { data: new Uint8Array(30 * 20), width: 30, height: 20, mode: 'L' as const };
  for (let y = 8; y < 12; y++) mask.data.fill(255, y * 30 + 10, y * 30 + 20);
  const { data, info } = await sharp(await maskOutline(addon, mask, 30, 20))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 30, height: 20, channels: 4 });
  const alpha = (x: number, y: number) => data[4 * (y * 30 + x) + 3];
  expect([alpha(15, 10), alpha(9, 10), alpha(8, 10), alpha(6, 10), alpha(0, 0)]).toEqual([0, 255, 255, 0, 0]);
});
