/** Values as steps: the nearest one, whatever the range, and never beyond its ends. */
import { expect, it } from 'vitest';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { mapBytes } from '../../../src/service/map-bytes.js';
import { makeFakeAddon } from '../engine/fake-addon.js';

const addon = makeFakeAddon();

it.each([
  [0, 1],
  [-3, 5],
] as const)('takes the nearest step from %f to %f', (low, high) => {
  const shares = [0, 1, 0.5, 0.1, 0.499, 0.999, 1e-6, 1.5, -0.5, Number.NaN];
  const data = Float32Array.from(shares, (share) => low + share * (high - low));
  const map = new AnomalyMap({ data, width: data.length, height: 1 }, addon, [low, high]);
  expect([...new Float32Array(mapBytes(map, 'float32').slice().buffer)]).toEqual([...data]);
  for (const [type, steps] of [
    ['uint8', 255],
    ['uint16', 65_535],
  ] as const) {
    const bytes = Buffer.from(mapBytes(map, type));
    const found = shares.map((_, at) => (steps === 255 ? bytes[at]! : bytes.readUInt16LE(2 * at)));
    const wanted = [...data].map((value) => {
      const step = Math.round(((value - low) / (high - low)) * steps);
      return Number.isNaN(step) ? 0 : Math.min(steps, Math.max(0, step));
    });
    expect(found).toEqual(wanted);
  }
});
