/** The map as colours over the picture. Dark to bright in every step, so that it reads without colours too. */
import type { ScoreMap } from './api.js';
import { isBank } from './choice.js';
import type { Item } from './session.js';

/** Share, red, green, blue: black over violet and orange to a light yellow. */
const k_stops: readonly (readonly [number, number, number, number])[] = [
  [0, 20, 8, 50],
  [0.25, 90, 20, 110],
  [0.5, 200, 60, 75],
  [0.75, 250, 145, 10],
  [1, 250, 250, 160],
];

export function colourAt(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share));
  const above = Math.max(
    1,
    k_stops.findIndex(([stop]) => stop >= at),
  );
  const [from, to] = [k_stops[above - 1]!, k_stops[above]!];
  const part = (at - from[0]) / (to[0] - from[0]);
  const mix = (channel: 1 | 2 | 3) => Math.round(from[channel] + part * (to[channel] - from[channel]));
  return [mix(1), mix(2), mix(3)];
}

const k_hottestDistance = 0.5;

/**
 * The value at which colours end. Distances to good pictures are small numbers: theirs end at twice what the service takes for
 * anomalous.
 */
export function hottestOf({ by, result }: Item): number {
  if (!by || !isBank(by)) return 1;
  return result?.threshold ? Math.min(1, 2 * result.threshold) : k_hottestDistance;
}

/** One pixel for each value of the map; the browser stretches it. Hot is opaque, cold lets the picture through. */
export function heatCanvas({ width, height, values }: ScoreMap, hottest: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(width, height);
  for (let at = 0; at < values.length; at++) {
    const value = values[at]! / hottest;
    const [red, green, blue] = colourAt(value);
    pixels.data.set([red, green, blue, Math.round(255 * Math.min(1, value))], 4 * at);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}
