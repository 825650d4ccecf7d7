/**
 * Polygons to pixels as the COCO tools draw them: the outline is followed on a grid five times as fine, and where it crosses
 * the middle of a column of pixels, that column changes between inside and outside. Tested to be equal to them. Where an edge
 * crosses a column is computed, not walked to: what it costs depends on the picture, not on how far away the corners lie.
 */
import { setImmediate } from 'node:timers/promises';
import type { DrawnMask } from './drawn-mask.js';

const k_finer = 5;
/** Of the fine grid, the last line before the middle of the first column of pixels. */
const k_middle = 2;
/** Pixels: beyond every picture, and well within what whole numbers of floating point hold. */
const k_furthest = 2 ** 31;
/** Crossings and pixels between which others run: well below a millisecond. */
const k_sliceWork = 100_000;

type Point = readonly [x: number, y: number];

/** Draws rings into one mask, one after the other. */
export class PolygonPen {
  readonly #mask: DrawnMask;
  /** column by column, [width, height + 1]: where inside and outside change; nothing but 0 between two rings */
  #turns: Uint8Array | undefined;
  /** of each column, the first and the last change; none: first > last */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  #work = 0;

  constructor(mask: DrawnMask) {
    this.#mask = mask;
    this.#first = new Int32Array(mask.width).fill(mask.height + 1);
    this.#last = new Int32Array(mask.width).fill(-1);
  }

  /**
   * @param ring x, y, x, y, ... in pixels; what lies outside of the picture is cut off
   * @throws Error with a sentence about a coordinate that is none
   */
  async draw(ring: readonly number[]): Promise<void> {
    if (ring.length < 6) return;
    const lost = ring.find((value) => !(Math.abs(value) <= k_furthest));
    if (lost !== undefined) throw new Error(`a coordinate of ${lost} pixels`);
    const points = Math.floor(ring.length / 2);
    const fine = (point: number): Point => [
      Math.trunc(k_finer * ring[2 * point]! + 0.5),
      Math.trunc(k_finer * ring[2 * point + 1]! + 0.5),
    ];
    let [left, right] = [this.#mask.width, -1];
    for (let point = 0; point < points; point++) {
      const columns = this.#edge(fine(point), fine((point + 1) % points));
      left = Math.min(left, columns.from);
      right = Math.max(right, columns.to);
      if (this.#isDue(1 + Math.max(0, columns.to - columns.from))) await setImmediate();
    }
    for (let x = left; x <= right; x++) if (this.#isDue(this.#fill(x))) await setImmediate();
  }

  /** Turns the columns whose middle it crosses. @returns these columns; none: from > to */
  #edge(one: Point, other: Point): { from: number; to: number } {
    const { width } = this.#mask;
    const [low, high] = one[0] <= other[0] ? [one[0], other[0]] : [other[0], one[0]];
    // Of column x the line between the places 5 x + 2 and 5 x + 3.
    const from = Math.max(0, Math.ceil((low - k_middle) / k_finer));
    const to = Math.min(width - 1, Math.floor((high - 1 - k_middle) / k_finer));
    if (from > to) return { from, to };
    const crossing = crossingsOf(one, other);
    for (let x = from; x <= to; x++) this.#turn(x, crossing(k_finer * x + k_middle));
    return { from, to };
  }

  #turn(x: number, fineY: number): void {
    const { width, height } = this.#mask;
    this.#turns ??= new Uint8Array(width * (height + 1));
    const middle = (fineY + 0.5) / k_finer - 0.5;
    const y = Math.ceil(Math.min(height, Math.max(0, middle)));
    this.#turns[x * (height + 1) + y]! ^= 1;
    this.#first[x] = Math.min(this.#first[x]!, y);
    this.#last[x] = Math.max(this.#last[x]!, y);
  }

  /** @returns how many pixels were looked at */
  #fill(x: number): number {
    const { data, width, height } = this.#mask;
    const [first, last] = [this.#first[x]!, this.#last[x]!];
    let isInside = 0;
    for (let y = first; y <= last; y++) {
      const at = x * (height + 1) + y;
      isInside ^= this.#turns![at]!;
      this.#turns![at] = 0;
      if (isInside) data[y * width + x] = 255;
    }
    this.#first[x] = height + 1;
    this.#last[x] = -1;
    return 1 + Math.max(0, last - first);
  }

  /** Whether others are to run now. */
  #isDue(work: number): boolean {
    this.#work += work;
    if (this.#work < k_sliceWork) return false;
    this.#work = 0;
    return true;
  }
}

/**
 * The edge on the fine grid, in steps of one along the longer side, counted from its lower end whatever the direction: so edges
 * round alike both ways.
 * @returns of a line that it crosses, between `before` and the place after it, the smaller y of the two points there
 */
function crossingsOf(one: Point, other: Point): (before: number) => number {
  const [dx, dy] = [Math.abs(one[0] - other[0]), Math.abs(one[1] - other[1])];
  if (dx >= dy) {
    const [low, high] = one[0] > other[0] ? [other, one] : [one, other];
    const slope = (high[1] - low[1]) / dx;
    const yAt = (x: number) => Math.trunc(low[1] + slope * (x - low[0]) + 0.5);
    return (before) => Math.min(yAt(before), yAt(before + 1));
  }
  const [low, high] = one[1] > other[1] ? [other, one] : [one, other];
  const slope = (high[0] - low[0]) / dy;
  const xAt = (step: number) => Math.trunc(low[0] + slope * step + 0.5);
  return (before) => {
    // The first step that is past the line: x only grows, or only falls.
    const isPast = (step: number) => (slope > 0 ? xAt(step) > before : xAt(step) <= before);
    let [within, past] = [0, dy];
    while (past - within > 1) {
      const step = Math.floor((within + past) / 2);
      if (isPast(step)) past = step;
      else within = step;
    }
    return low[1] + past - 1;
  };
}
