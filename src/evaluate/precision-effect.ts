/** How far another precision moves the figures of a data set: a paired bootstrap over pictures, and the pictures' order. */

/** One picture with what both precisions made of it. */
export interface Paired<T> {
  className: string;
  before: T;
  after: T;
}

export interface ChangeInterval {
  low: number;
  high: number;
  /** draws in which both had the figure */
  draws: number;
}

/**
 * Figures of each draw, by place; null: undefined for what was drawn. A draw says how often each picture is taken.
 */
export type FiguresOfDraws<T> = (
  pictures: readonly T[],
  draws: readonly Uint32Array[],
) => Promise<(number | null)[][]>;

/**
 * Pictures of each class are drawn with replacement, as many as there are, and the same pictures are judged in both precisions.
 * @returns for each figure the percentile interval of `after - before`; null where no two draws have it
 */
export async function changeIntervals<T>(
  pictures: readonly Paired<T>[],
  figuresOfDraws: FiguresOfDraws<T>,
  { draws, seed, level }: { draws: number; seed: number; level: number },
): Promise<(ChangeInterval | null)[]> {
  const drawn = drawsOf(pictures, draws, seed);
  const before = await figuresOfDraws(
    pictures.map((one) => one.before),
    drawn,
  );
  const after = await figuresOfDraws(
    pictures.map((one) => one.after),
    drawn,
  );
  const changes: number[][] = [];
  for (const [draw, figures] of before.entries()) {
    for (const [at, value] of figures.entries()) {
      changes[at] ??= [];
      const other = after[draw]?.[at] ?? null;
      if (value !== null && other !== null) changes[at].push(other - value);
    }
  }
  return changes.map((list) => {
    if (list.length < 2) return null;
    list.sort((a, b) => a - b);
    return {
      low: quantile(list, (1 - level) / 2),
      high: quantile(list, (1 + level) / 2),
      draws: list.length,
    };
  });
}

function drawsOf(pictures: readonly { className: string }[], draws: number, seed: number): Uint32Array[] {
  const random = numbersFrom(seed);
  const places = pictures.map((_, at) => at);
  const classes = [...new Set(pictures.map(({ className }) => className))].map((name) =>
    places.filter((at) => pictures[at]!.className === name),
  );
  return Array.from({ length: draws }, () => {
    const times = new Uint32Array(pictures.length);
    for (const own of classes) for (const _ of own) times[own[Math.floor(random() * own.length)]!]!++;
    return times;
  });
}

/** Kendall's tau-b: 1 where both order all pairs alike, ties counted as ties. NaN where one of them is constant. */
export function kendallTau(a: readonly number[], b: readonly number[]): number {
  let agreement = 0;
  let untiedInA = 0;
  let untiedInB = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const inA = Math.sign(a[i]! - a[j]!);
      const inB = Math.sign(b[i]! - b[j]!);
      agreement += inA * inB;
      untiedInA += Math.abs(inA);
      untiedInB += Math.abs(inB);
    }
  }
  return agreement / Math.sqrt(untiedInA * untiedInB);
}

/** Between neighbours it is linear, as in native/metrics/resampling.h. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - low);
}

/** Numbers in [0, 1) that a seed decides (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
