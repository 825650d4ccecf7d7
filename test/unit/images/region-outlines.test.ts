/** Outlines against the pixels that they enclose, and against regions found by plain loops. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { type Corner, type RegionOutline, regionOutlines } from '../../../src/images/region-outlines.js';
import { makeFakeAddon } from '../engine/fake-addon.js';

function mapOf(rows: string[] | number[][]): AnomalyMap {
  const width = rows[0]!.length;
  const values = rows.flatMap((row) =>
    typeof row === 'string'
      ? [...row].map((sign) => (sign === '#' ? 1 : sign === '?' ? Number.NaN : 0))
      : row,
  );
  const map = { data: Float32Array.from(values), width, height: rows.length };
  return new AnomalyMap(map, makeFakeAddon());
}

/** Pixels whose middle a ring goes around (even-odd over all rings of the region). */
function filled(region: RegionOutline, width: number, height: number): Set<number> {
  const inside = new Set<number>();
  const rings = [region.outer, ...region.holes];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const crossings = rings.reduce((sum, ring) => sum + crossed(ring, x + 0.5, y + 0.5), 0);
      if (crossings % 2 === 1) inside.add(y * width + x);
    }
  }
  return inside;
}
function crossed(ring: readonly Corner[], x: number, y: number): number {
  return ring.filter(([fromX, fromY], at) => {
    const [toX, toY] = ring[(at + 1) % ring.length]!;
    return fromX === toX && fromX > x && Math.min(fromY, toY) < y && y < Math.max(fromY, toY);
  }).length;
}
function shoelace(ring: readonly Corner[]): number {
  return ring.reduce((sum, [x, y], at) => {
    const [nextX, nextY] = ring[(at + 1) % ring.length]!;
    return sum + (x * nextY - nextX * y) / 2;
  }, 0);
}
/** Regions by plain loops: sets of 8-connected pixels. */
function regionsOf({ data, width, height }: AnomalyMap, threshold: number): Set<number>[] {
  const left = new Set([...data.keys()].filter((at) => data[at]! >= threshold));
  const regions: Set<number>[] = [];
  for (const first of left) {
    const region = new Set([first]);
    left.delete(first);
    for (const at of region) {
      for (const other of left) {
        const far = Math.max(
          Math.abs((other % width) - (at % width)),
          Math.abs(Math.floor(other / width) - Math.floor(at / width)),
        );
        if (far > 1 || height === 0) continue;
        region.add(other);
        left.delete(other);
      }
    }
    regions.push(region);
  }
  return regions;
}
function hold(map: AnomalyMap, outlines: RegionOutline[], threshold: number): void {
  const wanted = regionsOf(map, threshold);
  const peak = (region: Set<number>) => Math.max(...[...region].map((at) => map.data[at]!));
  wanted.sort((a, b) => peak(b) - peak(a) || Math.min(...a) - Math.min(...b));
  expect(outlines.length).toBe(wanted.length);
  for (const [at, region] of outlines.entries()) {
    const pixels = wanted[at]!;
    expect([...filled(region, map.width, map.height)].sort()).toEqual([...pixels].sort());
    expect([region.area, region.peak]).toEqual([pixels.size, peak(pixels)]);
    const xs = [...pixels].map((pixel) => pixel % map.width);
    const ys = [...pixels].map((pixel) => Math.floor(pixel / map.width));
    expect([region.x, region.y, region.x + region.width, region.y + region.height]).toEqual([
      Math.min(...xs),
      Math.min(...ys),
      Math.max(...xs) + 1,
      Math.max(...ys) + 1,
    ]);
    // The outer ring runs clockwise, holes the other way, and together they enclose exactly the area.
    expect(shoelace(region.outer)).toBeGreaterThan(0);
    for (const hole of region.holes) expect(shoelace(hole)).toBeLessThan(0);
    const enclosed = [region.outer, ...region.holes].reduce((sum, ring) => sum + shoelace(ring), 0);
    expect(enclosed).toBe(region.area);
  }
}

describe('the outline of a region', () => {
  it.each([
    ['one pixel', ['...', '.#.', '...'], 4, 0],
    ['the whole map', ['##', '##'], 4, 0],
    ['a ring', ['####', '#..#', '####'], 4, 1],
    ['two holes', ['#####', '#.#.#', '#####'], 4, 2],
    ['holes that meet at a corner', ['####', '#.##', '##.#', '####'], 4, 2],
    ['pixels that meet at corners', ['#.#', '.#.', '#.#'], 20, 0],
    ['what is not a number', ['##?', '?##'], 8, 0],
    ['a hole with a region in it', ['#####', '#...#', '#.#.#', '#...#', '#####'], 4, 1],
  ])('of %s encloses its pixels and no other', async (_what, rows, corners, holes) => {
    const map = mapOf(rows);
    const outlines = await regionOutlines(map, 0.5);
    hold(map, outlines, 0.5);
    expect([outlines[0]!.outer.length, outlines[0]!.holes.length]).toEqual([corners, holes]);
  });

  it('of noise encloses its pixels and no other, whatever the share', async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    let regions = 0;
    for (const [width, height] of [
      [1, 1],
      [1, 9],
      [9, 1],
      [17, 13],
      [24, 24],
    ] as const) {
      const map = mapOf(Array.from({ length: height }, () => Array.from({ length: width }, random)));
      for (const threshold of [0, 0.2, 0.4, 0.5, 0.6, 0.8, 2]) {
        const outlines = await regionOutlines(map, threshold);
        hold(map, outlines, threshold);
        regions += outlines.length;
      }
    }
    expect(regions).toBeGreaterThan(100);
  });

  it('lets others work while it is found, and is given up', async () => {
    const side = 700;
    const map = new AnomalyMap(
      { data: new Float32Array(side * side).fill(1), width: side, height: side },
      makeFakeAddon(),
    );
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const [whole] = await regionOutlines(map, 0.5);
    clearInterval(timer);
    expect(whole).toMatchObject({ area: side * side, outer: { length: 4 } });
    expect(turns).toBeGreaterThan(0);
    const signal = AbortSignal.abort();
    await expect(regionOutlines(map, 0.5, { signal })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  it('refuses what is no map and no threshold', async () => {
    await expect(regionOutlines({} as AnomalyMap, 0.5)).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(regionOutlines(mapOf(['#']), Number.NaN)).rejects.toMatchObject({ code: 'E_USAGE' });
    for (const options of [null, { signal: 'x' }])
      await expect(regionOutlines(mapOf(['#']), 0.5, options as never)).rejects.toMatchObject({
        code: 'E_USAGE',
      });
  });

  it('refuses a map whose array is gone, and outlines what was there where it goes meanwhile', async () => {
    const side = 300;
    const data = new Float32Array(side * side).fill(1);
    const map = new AnomalyMap({ data, width: side, height: side }, makeFakeAddon());
    const work = regionOutlines(map, 0.5);
    await setImmediate();
    structuredClone(data.buffer, { transfer: [data.buffer] });
    // Where it went before it could be copied that is told.
    const isWholeOrRefused = await work.then(
      (found) => found[0]?.area === side * side,
      ({ code }) => code === 'E_IMAGE_SHAPE',
    );
    expect(isWholeOrRefused).toBe(true);
    await expect(regionOutlines(map, 0.5)).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
  });
});
