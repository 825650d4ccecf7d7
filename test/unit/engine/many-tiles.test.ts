/** A strip of 5000 x 8 pixels, tiled, takes minutes: that is said before, not after. */
import { describe, expect, it } from 'vitest';
import { manyTiles, tilesOf } from '../../../src/engine/many-tiles.js';
import type { EngineWarning } from '../../../src/options/types.js';
import { useToyModel } from './toy-engine.js';

const tile = { width: 518, height: 518 };
const sized = (width: number, height: number) => ({ width, height });

it.each([
  [sized(518, 518), 1, 1],
  [sized(519, 518), 2, 1],
  [sized(1000, 1000), 9, 1],
  [sized(5000, 8), 835, 518 / 8],
  [sized(8, 5000), 835, 518 / 8],
  [sized(20_000, 6_300), 832, 1],
])('%j makes %i tiles', (picture, count, enlarged) => {
  expect(tilesOf(picture, tile, 0.25)).toMatchObject({ count, enlarged });
});

it('tells of a strip that it is enlarged, and of a large picture that it is large', () => {
  const strip = manyTiles('belt.png', sized(5000, 8), tile, 0.25)!;
  expect(strip.code).toBe('W_MANY_TILES');
  expect(strip.message).toMatch(
    /^belt.png: fit tile makes 835 forward passes .* enlarged 65 times.*side of 8/,
  );
  expect(strip.message).toContain('stretch or pad');
  expect(manyTiles('wall.png', sized(20_000, 6_300), tile, 0.25)!.message).toContain('a smaller overlap');
  expect(manyTiles('part.png', sized(2448, 2048), tile, 0.25)).toBeUndefined();
});

describe('an engine', () => {
  const toy = useToyModel();

  it('says it once, before the first passes', async () => {
    const warnings: EngineWarning[] = [];
    const onWarning = (warning: EngineWarning) => void warnings.push(warning);
    const { engine, addon } = await toy.open({ fit: 'tile', onWarning });
    const strip = { data: new Uint8Array(9000 * 8), width: 9000, height: 8, channels: 1 as const };
    const passesBefore = addon.log.passes.length;
    await engine.score(strip);
    await engine.score(strip);
    expect(warnings.map(({ code }) => code)).toEqual(['W_MANY_TILES']);
    expect(addon.log.passes.length).toBeGreaterThan(passesBefore);
    await engine.score(strip, { fit: 'pad' });
    expect(warnings).toHaveLength(1);
    await engine.dispose();
  });

  it('refuses a picture that is enlarged beyond its limit of pixels, and counts the map of one that is not', async () => {
    const held: number[] = [];
    const gate = async () => void held.push(engine.decodedBytes);
    const onWarning = () => {};
    const { engine, addon } = await toy.open({ fit: 'tile', maxPixels: 100_000, onWarning }, { gate });
    const strip = (width: number) => ({
      data: new Uint8Array(width * 8),
      width,
      height: 8,
      channels: 1 as const,
    });
    await expect(engine.score(strip(8000))).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
      message: expect.stringMatching(/8000 x 8 pixels to 28000 x 28, the limit is 100000 pixels$/),
    });
    expect(addon.log.passes).toEqual([]);
    await engine.score(strip(1000));
    // Its map, and the one of 3500 x 28 pixels that its tiles make.
    expect(held[0]).toBeGreaterThanOrEqual(4 * 8000 + 4 * 3500 * 28);
    await engine.dispose();
  });

  it('refuses what makes more passes than it may, before the first and without a word', async () => {
    const warnings: EngineWarning[] = [];
    const onWarning = (warning: EngineWarning) => void warnings.push(warning);
    const { engine, addon } = await toy.open({ fit: 'tile', maxTiles: 9, onWarning });
    const grey = (width: number, height: number) => ({
      data: new Uint8Array(width * height),
      width,
      height,
      channels: 1 as const,
    });
    await expect(engine.score(grey(9000, 8))).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
      message: expect.stringMatching(/the limit is 9$/),
    });
    expect([addon.log.passes, warnings]).toEqual([[], []]);
    // The toy's input is 28 pixels, its step 21.
    await engine.score(grey(70, 70));
    await expect(engine.score(grey(71, 70))).rejects.toMatchObject({ code: 'E_IMAGE_TOO_LARGE' });
    await engine.dispose();
  });
});
