/**
 * Fixtures keep parts and summaries of the large stages (means of cells, every nth patch, the first tokens). This turns
 * what the engine traced into the same form; all numbers in the keys are read, none is assumed.
 */
import type { TraceResult } from '#crane/addon/native.js';
import type { Numbers } from './compare.js';

type Derivation = (
  match: RegExpExecArray,
  trace: TraceResult,
  shape: readonly number[],
) => Numbers | undefined;

const derivations: [RegExp, Derivation][] = [
  [
    /^(block\d+)\.(out|x|x_ori)_tokens0to(\d+)$/,
    ([, block, stream, last], trace) => {
      const tokens = trace[stream === 'out' ? `stage.${block}` : `stage.${block}.${stream}`];
      return tokens && dropBatch(takeRows(tokens, range(0, Number(last) + 1, 1)));
    },
  ],
  [
    /^patch_norm_(\d+)$/,
    ([, wanted], trace) => {
      const patches = trace['patch_norm'];
      if (!patches) return undefined;
      const stride = Math.ceil(axisFromEnd(patches, 2) / Number(wanted));
      return takeRows(firstOf(patches), range(0, axisFromEnd(patches, 2), stride));
    },
  ],
  [
    /^patch_norm_every(\d+)$/,
    ([, stride], trace) => {
      const patches = trace['patch_norm'];
      return patches && takeRows(patches, range(0, axisFromEnd(patches, 2), Number(stride)));
    },
  ],
  [
    /^(map|map_gauss)_cell_mean_(\d+)x(\d+)$/,
    ([, map, rows, columns], trace) =>
      withTrace(trace, map!, (m) => cellMeans(m, Number(rows), Number(columns))),
  ],
  [
    /^(map|map_gauss)_row(\d+)$/,
    ([, map, row], trace) => withTrace(trace, map!, (m) => imageRow(m, Number(row))),
  ],
  [/^(map|map_gauss)_stats_min_max_mean_std$/, ([, map], trace) => withTrace(trace, map!, statistics)],
  [
    /^vfm_features_patches_every(\d+)$/,
    ([, stride], trace) =>
      withTrace(trace, 'stage.vfm.features', (features) => {
        const rows = channelsLast(features);
        return takeRows(rows, range(0, rows.shape[0]!, Number(stride)));
      }),
  ],
  [
    /^stage\.vfm\.features_every(\d+)$/,
    ([, stride], trace) => withTrace(trace, 'stage.vfm.features', (f) => everyPixel(f, Number(stride))),
  ],
  [
    /^stage\.vfm\.features_sum_float64$/,
    (_, trace) => withTrace(trace, 'stage.vfm.features', (f) => ({ shape: [1], data: [sum(f.data)] })),
  ],
  [/^kept_per_row$/, (_, trace) => withTrace(trace, 'stage.dattn.masked', keptPerRow)],
  [
    /^(\w+\.tokens)_first(\d+)$/,
    ([, name, count], trace) => withTrace(trace, name!, (ids) => firstColumns(ids, Number(count))),
  ],
  [
    /^(.+)_first(\d+)$/,
    ([, name, count], trace) => withTrace(trace, name!, (rows) => takeRows(rows, range(0, Number(count), 1))),
  ],
];

/** The engine's value for a fixture key of the given shape, or undefined where it was not traced. */
export function fromTrace(key: string, shape: readonly number[], trace: TraceResult): Numbers | undefined {
  const direct = trace[key];
  if (direct) return wholeBatch(key, shape, firstImages(direct, shape));
  for (const [pattern, derive] of derivations) {
    const match = pattern.exec(key);
    if (match) {
      const derived = derive(match, trace, shape);
      return derived && firstImages(derived, shape);
    }
  }
  return undefined;
}

/** The mask's figures are traced per picture; fixtures keep one for the whole batch. */
function wholeBatch(key: string, shape: readonly number[], numbers: Numbers): Numbers {
  if (shape.length !== 1 || shape[0] !== 1 || numbers.shape.length !== 1 || numbers.data.length < 2)
    return numbers;
  if (key === 'kept_fraction') return { shape: [1], data: [sum(numbers.data) / numbers.data.length] };
  if (key === 'min_abs_affine') return { shape: [1], data: [Math.min(...Array.from(numbers.data))] };
  return numbers;
}

/** Prompts [2, B, rows, w]: where the fixture kept the first image only, so does this. */
function firstImages(numbers: Numbers, shape: readonly number[]): Numbers {
  const [texts, images] = numbers.shape;
  if (numbers.shape.length !== 4 || texts !== 2 || shape.length !== 4 || shape[1] !== 1 || images === 1)
    return numbers;
  if (numbers.shape[2] !== shape[2] || numbers.shape[3] !== shape[3] || shape[0] !== 2) return numbers;
  const block = shape[2]! * shape[3]!;
  const data = new Float64Array(2 * block);
  for (let text = 0; text < 2; text++) {
    for (let i = 0; i < block; i++) data[text * block + i] = numbers.data[text * images! * block + i]!;
  }
  return { shape: [2, 1, shape[2]!, shape[3]!], data };
}

function withTrace(
  trace: TraceResult,
  name: string,
  derive: (numbers: Numbers) => Numbers,
): Numbers | undefined {
  const traced = trace[name];
  return traced && derive(traced);
}

function range(begin: number, end: number, step: number): number[] {
  const indices: number[] = [];
  for (let i = begin; i < end; i += step) indices.push(i);
  return indices;
}

function axisFromEnd({ shape }: Numbers, fromEnd: number): number {
  return shape[shape.length - fromEnd]!;
}

/** Rows of the last but one axis; [..., rows, w] to [..., chosen, w]. Fewer where the trace holds fewer. */
function takeRows(numbers: Numbers, chosen: number[]): Numbers {
  const width = axisFromEnd(numbers, 1);
  const rows = axisFromEnd(numbers, 2);
  const kept = chosen.filter((row) => row < rows);
  const blocks = numbers.data.length / (rows * width);
  const data = new Float64Array(blocks * kept.length * width);
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    for (const row of kept) {
      for (let i = 0; i < width; i++) data[at++] = numbers.data[(block * rows + row) * width + i]!;
    }
  }
  return { shape: [...numbers.shape.slice(0, -2), kept.length, width], data };
}

/** [rows, n] to [rows, count]. */
function firstColumns({ shape, data }: Numbers, count: number): Numbers {
  const [rows, columns] = shape as [number, number];
  const kept = Float64Array.from(
    { length: rows * count },
    (_, i) => data[Math.floor(i / count) * columns + (i % count)]!,
  );
  return { shape: [rows, count], data: kept };
}

/** [1, ...] to [...]. */
function dropBatch({ shape, data }: Numbers): Numbers {
  return shape[0] === 1 ? { shape: shape.slice(1), data } : { shape, data };
}

/** The first entry of the first axis, the axis kept. */
function firstOf({ shape, data }: Numbers): Numbers {
  const count = data.length / shape[0]!;
  return { shape: [1, ...shape.slice(1)], data: Array.prototype.slice.call(data, 0, count) as number[] };
}

/** First image of a map [B, H, W], cut into rows x columns equal cells. */
function cellMeans({ shape, data }: Numbers, rows: number, columns: number): Numbers {
  const [height, width] = shape.slice(-2) as [number, number];
  const cellHeight = height / rows;
  const cellWidth = width / columns;
  const means = new Float64Array(rows * columns);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      means[Math.floor(y / cellHeight) * columns + Math.floor(x / cellWidth)]! += data[y * width + x]!;
    }
  }
  return { shape: [rows, columns], data: means.map((total) => total / (cellHeight * cellWidth)) };
}

function imageRow({ shape, data }: Numbers, row: number): Numbers {
  const width = shape.at(-1)!;
  return { shape: [width], data: Float64Array.from({ length: width }, (_, x) => data[row * width + x]!) };
}

/** Minimum, maximum, mean and population deviation of all values. */
function statistics({ data }: Numbers): Numbers {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    low = Math.min(low, data[i]!);
    high = Math.max(high, data[i]!);
  }
  const mean = sum(data) / data.length;
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (data[i]! - mean) ** 2;
  return { shape: [4], data: [low, high, mean, Math.sqrt(squares / data.length)] };
}

function sum(data: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < data.length; i++) total += data[i]!;
  return total;
}

/** [1, C, h, w] to [h*w, C]. */
function channelsLast({ shape, data }: Numbers): Numbers {
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  const pixels = height * width;
  const rows = new Float64Array(pixels * channels);
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < pixels; p++) rows[p * channels + c] = data[c * pixels + p]!;
  }
  return { shape: [pixels, channels], data: rows };
}

/** [..., h, w] to every nth row and column. */
function everyPixel({ shape, data }: Numbers, stride: number): Numbers {
  const [height, width] = shape.slice(-2) as [number, number];
  const ys = range(0, height, stride);
  const xs = range(0, width, stride);
  const planes = data.length / (height * width);
  const kept = new Float64Array(planes * ys.length * xs.length);
  let at = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (const y of ys) for (const x of xs) kept[at++] = data[(plane * height + y) * width + x]!;
  }
  return { shape: [...shape.slice(0, -2), ys.length, xs.length], data: kept };
}

/** Entries of each row of the masked affinity [1, n, n] that are not minus infinity. */
function keptPerRow({ shape, data }: Numbers): Numbers {
  const side = shape.at(-1)!;
  const kept = new Float64Array(shape.at(-2)!);
  for (let row = 0; row < kept.length; row++) {
    for (let i = 0; i < side; i++) if (data[row * side + i]! > Number.NEGATIVE_INFINITY) kept[row]!++;
  }
  return { shape: [kept.length], data: kept };
}
