/** Maps and masks of one class that lie in files as flat arrays, for sets larger than memory. */
import type { MetricMappedSet } from '../addon/metrics.js';
import { wrongValue } from '../options/check.js';

export interface FlatArray {
  path: string;
  /** bytes before the first value, such as a header's; default 0 */
  offset?: number | undefined;
}

export interface MappedClass {
  className: string;
  /** float32, little endian, [count, height, width]; the offset is a multiple of 4 */
  maps: FlatArray;
  /** uint8, the same shape, every value but 0 is anomalous; default: no masks */
  masks?: FlatArray | null | undefined;
  count: number;
  height: number;
  width: number;
  /** [count] scores of the pictures; default: no image metrics */
  scores?: ArrayLike<number> | undefined;
  /** [count] 1 or true where the picture is anomalous; default: where its mask has an anomalous pixel */
  labels?: ArrayLike<number | boolean> | undefined;
}

export function nativeMappedSet(set: MappedClass): MetricMappedSet {
  if (typeof set.className !== 'string') throw wrongValue('a string', 'className', set.className);
  for (const name of ['count', 'height', 'width'] as const) {
    if (!Number.isInteger(set[name]) || set[name] <= 0) throw wrongValue('a whole number', name, set[name]);
  }
  const { count, height, width, scores, labels } = set;
  for (const [name, list] of [
    ['scores', scores],
    ['labels', labels],
  ] as const) {
    if (list && list.length !== count) throw wrongValue(`${count} values`, name, list);
  }
  return {
    maps: flatArray('maps', set.maps),
    ...(set.masks ? { masks: flatArray('masks', set.masks) } : {}),
    count,
    height,
    width,
    ...(scores ? { scores: Float64Array.from(scores) } : {}),
    ...(labels ? { labels: Uint8Array.from(Array.from(labels, Number)) } : {}),
  };
}

function flatArray(name: string, array: FlatArray): Required<FlatArray> & { offset: number } {
  if (typeof array?.path !== 'string') throw wrongValue('{ path, offset }', name, array);
  const { path, offset = 0 } = array;
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw wrongValue('a number of bytes', `${name}.offset`, offset);
  return { path, offset };
}
