/** Outlines of the real engine's maps are those of the regions that it found itself. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadEngine, regionOutlines } from '../../dist/index.js';
import { samples } from './crane-native.js';

it('outlines and regions are the same areas', async () => {
  const engine = await loadEngine();
  const pictures = readdirSync(samples).filter((name) => name.endsWith('.jpg'));
  let compared = 0;
  for (const name of pictures.slice(0, 4)) {
    for (const mapThreshold of [0.02, 0.3]) {
      const picture = join(samples, name);
      const result = await engine.score(picture, { map: true, regions: true, mapThreshold });
      const { map, regions, width, height } = result;
      const outlines = await regionOutlines(await map!.resizeTo(width, height), mapThreshold);
      expect(outlines.map(({ outer: _outer, holes: _holes, ...region }) => region)).toEqual(
        regions!.map(({ mean: _mean, ...region }) => region),
      );
      compared += outlines.length;
    }
  }
  expect(compared).toBeGreaterThan(5);
  await engine.dispose();
}, 120_000);
