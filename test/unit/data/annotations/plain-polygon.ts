/** The plain way to draw a polygon, which walks along its outline step by step: what the fast one has to be equal to. */
import type { DrawnMask } from '../../../../src/data/annotations/drawn-mask.js';

const k_finer = 5;

/** @param ring x, y, x, y, ...; what lies outside of the picture is cut off */
export function drawPlainly(ring: readonly number[], { data, width, height }: DrawnMask): void {
  if (ring.length < 6) return;
  // Column by column: each crossing turns all that follows it, and crossings of a column come in pairs.
  const turns = new Uint8Array(width * height + 1);
  for (const [x, y] of crossings(outline(ring), width, height)) turns[x * height + y]! ^= 1;
  let isInside = 0;
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) {
      isInside ^= turns[x * height + y]!;
      if (isInside) data[y * width + x] = 255;
    }
}

/** The points of the fine grid along the outline, each edge with both of its ends. */
function* outline(ring: readonly number[]): Generator<readonly [number, number]> {
  const points = Math.floor(ring.length / 2);
  const fine = (at: number) => Math.trunc(k_finer * ring[at]! + 0.5);
  for (let point = 0; point < points; point++) {
    const next = (point + 1) % points;
    yield* edge([fine(2 * point), fine(2 * point + 1)], [fine(2 * next), fine(2 * next + 1)]);
  }
}

/** In steps of one along the longer side, counted from its lower end whatever the direction: so edges round alike both ways. */
function* edge(from: [number, number], to: [number, number]): Generator<readonly [number, number]> {
  const [dx, dy] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
  const along = dx >= dy ? 0 : 1;
  const isTurned = from[along]! > to[along]!;
  const [low, high] = isTurned ? [to, from] : [from, to];
  const steps = Math.max(dx, dy);
  const across = 1 - along;
  const slope = steps === 0 ? 0 : (high[across]! - low[across]!) / steps;
  for (let step = 0; step <= steps; step++) {
    const t = isTurned ? steps - step : step;
    const point: [number, number] = [0, 0];
    point[along] = t + low[along]!;
    point[across] = Math.trunc(low[across]! + slope * t + 0.5);
    yield point;
  }
}

function* crossings(
  points: Iterable<readonly [number, number]>,
  width: number,
  height: number,
): Generator<readonly [number, number]> {
  let last: readonly [number, number] | undefined;
  for (const point of points) {
    const before = last;
    last = point;
    if (before === undefined || before[0] === point[0]) continue;
    const x = ((point[0] < before[0] ? point[0] : point[0] - 1) + 0.5) / k_finer - 0.5;
    if (!Number.isInteger(x) || x < 0 || x > width - 1) continue;
    const y = (Math.min(point[1], before[1]) + 0.5) / k_finer - 0.5;
    yield [x, Math.ceil(Math.min(height, Math.max(0, y)))];
  }
}
