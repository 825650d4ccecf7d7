/**
 * Outlines of the regions of an anomaly map: rings along the borders of pixels, so that filling them gives the region's pixels and no
 * other. Regions are 8-connected areas at or above the threshold, as everywhere (native/image/regions.h).
 */
import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../cancellation.js';
import { wrongValue } from '../options/check.js';
import { AnomalyMap } from './anomaly-map.js';

/** A corner of pixels, [x, y]: the pixel in row r and column c lies between [c, r] and [c + 1, r + 1]. */
export type Corner = readonly [x: number, y: number];

export interface RegionOutline {
  /** bounding box, in pixels of the map */
  x: number;
  y: number;
  width: number;
  height: number;
  /** pixels */
  area: number;
  /** the largest value */
  peak: number;
  /** closed, the last corner joins the first; clockwise on the screen. Where pixels meet at a corner alone it is passed twice */
  outer: Corner[];
  /** areas within that are no part of the region; anticlockwise */
  holes: Corner[][];
}

/** Pixels or corners between two turns of the event loop: well below a millisecond. */
const k_slice = 20_000;
/** right, down, left, up */
const k_steps = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/**
 * In the order of `regions` of a result: largest peak first, equal ones in reading order of their first pixel. For outlines in a picture's
 * pixels give the map in the picture's size (`map.resizeTo`).
 * @throws CraneError E_USAGE, E_IMAGE_SHAPE for a map whose array was transferred away, E_MEMORY, E_CANCELLED
 */
export async function regionOutlines(
  map: AnomalyMap,
  threshold: number,
  options: { signal?: AbortSignal } = {},
): Promise<RegionOutline[]> {
  if (!(map instanceof AnomalyMap)) throw wrongValue('an AnomalyMap', 'map', map);
  if (!Number.isFinite(threshold)) throw wrongValue('a number', 'threshold', threshold);
  if (typeof options !== 'object' || options === null)
    throw wrongValue('an object', 'the options of regionOutlines', options);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrongValue('an AbortSignal', 'signal', signal);
  const { width, height } = map;
  const tracer = new Tracer({ data: await map.ownData(), width, height }, threshold);
  const regions: RegionOutline[] = [];
  let spent = 0;
  const rest = async (more: number) => {
    spent += more;
    if (spent < k_slice) return;
    spent = 0;
    await setImmediate();
    throwIfCancelled(signal);
  };
  for (let y = 0; y < height; y++) {
    await rest(width);
    for (let x = 0; x < width; x++) {
      const label = tracer.startAt(x, y);
      if (label === null) continue;
      const ring: Corner[] = [];
      for (const corners of tracer.ring(x, y, ring)) await rest(corners);
      if (label < regions.length) {
        regions[label]!.holes.push(ring);
        continue;
      }
      const region = { ...tracer.begin(x, y), outer: ring, holes: [] };
      for (const pixels of tracer.fill(x, y, label, region)) await rest(pixels);
      regions.push(region);
    }
  }
  return regions
    .map((region) => ({ ...region, width: region.width - region.x, height: region.height - region.y }))
    .sort((a, b) => b.peak - a.peak);
}

class Tracer {
  readonly #data: Float32Array;
  readonly #width: number;
  readonly #height: number;
  readonly #threshold: number;
  /** of each pixel: 0, or 1 + the number of its region */
  readonly #labels: Int32Array;
  /** upper borders that a ring went along already */
  readonly #walked: Uint8Array;
  #count = 0;

  constructor({ data, width, height }: Pick<AnomalyMap, 'data' | 'width' | 'height'>, threshold: number) {
    this.#data = data;
    this.#width = width;
    this.#height = height;
    this.#threshold = threshold;
    this.#labels = new Int32Array(width * height);
    this.#walked = new Uint8Array(width * height);
  }

  /** NaN is never part of a region. */
  #isIn(x: number, y: number): boolean {
    if (x < 0 || y < 0 || x >= this.#width || y >= this.#height) return false;
    return this.#data[y * this.#width + x]! >= this.#threshold;
  }

  /** The region whose ring begins at the upper border of this pixel, a new one for an outer ring; null: none does. */
  startAt(x: number, y: number): number | null {
    const at = y * this.#width + x;
    if (this.#walked[at] || !this.#isIn(x, y) || this.#isIn(x, y - 1)) return null;
    const label = this.#labels[at]!;
    return label > 0 ? label - 1 : this.#count++;
  }

  /**
   * Walks with the region on the right hand. Where two of its pixels meet at a corner it turns to the other one: they are one
   * region. Yields the number of borders now and then.
   */
  *ring(startX: number, startY: number, corners: Corner[]): Generator<number> {
    let [x, y, direction] = [startX, startY, 0];
    let steps = 0;
    do {
      // The border that is walked along, of the pixel below it.
      if (direction === 0) this.#walked[y * this.#width + x] = 1;
      x += k_steps[direction]![0];
      y += k_steps[direction]![1];
      const turned = this.#turn(x, y, direction);
      if (turned !== direction) corners.push([x, y]);
      direction = turned;
      if (++steps % k_slice === 0) yield k_slice;
    } while (x !== startX || y !== startY || direction !== 0);
    yield steps % k_slice;
  }

  #turn(x: number, y: number, direction: number): number {
    const [dx, dy] = k_steps[direction]!;
    // Pixels ahead: their places beside the corner follow from the direction.
    const leftX = x + (dx > 0 || (dx === 0 && dy > 0) ? 0 : -1);
    const leftY = y + (dy > 0 || (dy === 0 && dx < 0) ? 0 : -1);
    if (this.#isIn(leftX, leftY)) return (direction + 3) % 4;
    const rightX = x + (dx > 0 || (dx === 0 && dy < 0) ? 0 : -1);
    const rightY = y + (dy > 0 || (dy === 0 && dx > 0) ? 0 : -1);
    return this.#isIn(rightX, rightY) ? direction : (direction + 1) % 4;
  }

  /** Of a region's first pixel; width and height are the corner behind the last pixel until all are known. */
  begin(x: number, y: number) {
    return { x, y, width: x + 1, height: y + 1, area: 0, peak: Number.NEGATIVE_INFINITY };
  }

  /** Yields the number of pixels now and then. */
  *fill(x: number, y: number, label: number, box: ReturnType<Tracer['begin']>): Generator<number> {
    const open = [y * this.#width + x];
    this.#labels[open[0]!] = label + 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const column = at % this.#width;
      const row = (at - column) / this.#width;
      box.x = Math.min(box.x, column);
      box.y = Math.min(box.y, row);
      box.width = Math.max(box.width, column + 1);
      box.height = Math.max(box.height, row + 1);
      box.peak = Math.max(box.peak, this.#data[at]!);
      if (++box.area % k_slice === 0) yield k_slice;
      for (let down = -1; down <= 1; down++) {
        for (let right = -1; right <= 1; right++) {
          const near = at + down * this.#width + right;
          if (!this.#isIn(column + right, row + down) || this.#labels[near] !== 0) continue;
          this.#labels[near] = label + 1;
          open.push(near);
        }
      }
    }
    yield box.area % k_slice;
  }
}
