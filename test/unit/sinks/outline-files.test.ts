/** Files of outlines, read back by our readers of annotations: the drawn mask is the map above its threshold. */
import { describe, expect, it } from 'vitest';
import { readCoco } from '../../../src/data/annotations/coco.js';
import { readLabelme } from '../../../src/data/annotations/labelme.js';
import { drawShapes } from '../../../src/data/annotations/shapes.js';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { regionOutlines } from '../../../src/images/region-outlines.js';
import { outlinesToCoco, outlinesToLabelme } from '../../../src/sinks/outline-files.js';
import { makeFakeAddon } from '../engine/fake-addon.js';

const [width, height, threshold] = [40, 30, 0.5];
function noise(seed: number, share: number): AnomalyMap {
  let state = seed;
  const data = Float32Array.from({ length: width * height }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648 < share ? 0.5 + state / 2 ** 33 : state / 2 ** 33;
  });
  return new AnomalyMap({ data, width, height }, makeFakeAddon());
}
const wanted = ({ data }: AnomalyMap) => [...data].map((value) => (value >= threshold ? 255 : 0));
const shares = [0, 0.1, 0.4, 0.6, 0.9, 1];

describe('outlines as files', () => {
  it('of COCO draw the regions again, holes left out', async () => {
    const maps = shares.map((share, at) => noise(at + 1, share));
    const pictures = await Promise.all(
      maps.map(async (map, at) => {
        return { name: `${at}.png`, width, height, outlines: await regionOutlines(map, threshold) };
      }),
    );
    expect(pictures.flatMap(({ outlines }) => outlines.flatMap(({ holes }) => holes)).length).toBeGreaterThan(
      50,
    );
    const file = outlinesToCoco(pictures, { label: 'scratch' });
    const read = readCoco(JSON.parse(JSON.stringify(file)), 'coco.json');
    expect(read.warnings).toEqual([]);
    expect(read.pictures.map(({ name }) => name)).toEqual(pictures.map(({ name }) => name));
    for (const [at, { shapes, size }] of read.pictures.entries()) {
      expect(size).toEqual({ width, height });
      expect(new Set(shapes.map(({ label }) => label))).toEqual(new Set(shares[at] === 0 ? [] : ['scratch']));
      expect([...(await drawShapes(shapes, width, height)).data]).toEqual(wanted(maps[at]!));
    }
    const areas = file.annotations.reduce((sum, { area }) => sum + area, 0);
    expect(areas).toBe(maps.flatMap(wanted).filter((value) => value === 255).length);
  });

  it.each(shares)('of labelme draw the regions again: %f of a picture', async (share) => {
    const map = noise(9, share);
    const outlines = await regionOutlines(map, threshold);
    const file = outlinesToLabelme({ name: 'a/b.png', width, height, outlines });
    const { picture, warnings } = readLabelme(JSON.parse(JSON.stringify(file)), 'b.json', 'b');
    expect([warnings, picture.name, picture.size]).toEqual([[], 'a/b.png', { width, height }]);
    expect([...(await drawShapes(picture.shapes, width, height)).data]).toEqual(wanted(map));
  });

  it('are refused for what is no picture with outlines', () => {
    const picture = { name: 'a.png', width, height, outlines: [] };
    const refused = expect.objectContaining({ code: 'E_USAGE' });
    for (const pictures of [null, undefined, 'a.png', picture, [null], [{ ...picture, width: 0 }]])
      expect(() => outlinesToCoco(pictures as never)).toThrow(refused);
    for (const wrong of [null, {}, { ...picture, outlines: [{}] }, { ...picture, outlines: new Array(1) }])
      expect(() => outlinesToLabelme(wrong as never)).toThrow(refused);
    for (const options of [null, 'x', { label: 1 }]) {
      expect(() => outlinesToCoco([picture], options as never)).toThrow(refused);
      expect(() => outlinesToLabelme(picture, options as never)).toThrow(refused);
    }
    expect(outlinesToCoco(new Set([picture])).images).toHaveLength(1);
  });
});
