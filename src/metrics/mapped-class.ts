/** Maps and masks of one class that lie in files as flat arrays, for sets larger than memory. */
import type { MetricMappedSet } from '../addon/metrics.js';
import { checkPath, wrongValue } from '../options/check.js';
import { checkNames } from './options.js';
import { checkLabel, checkScore } from './picture.js';

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

const mappedClassFields = [
  'className',
  'masks',
  'maps',
  'count',
  'height',
  'width',
  'scores',
  'labels',
] as const satisfies (keyof MappedClass)[];

/** The class as the engine takes it. Rejects what has a wrong type; files, sizes and NaN are the engine's to check. */
export function nativeMappedSet(set: MappedClass): MetricMappedSet {
  if (typeof set !== 'object' || set === null) throw wrongValue('a class with maps', 'class', set);
  if (typeof set.className !== 'string') throw wrongValue('a string', 'className', set.className);
  checkNames('field', set, mappedClassFields);
  for (const name of ['count', 'height', 'width'] as const) {
    if (!Number.isInteger(set[name]) || set[name] <= 0) throw wrongValue('a whole number', name, set[name]);
  }
  const { masks, count, height, width } = set;
  const scores = valuesOf('scores', set.scores, count, checkScore);
  const labels = valuesOf('labels', set.labels, count, checkLabel);
  return {
    maps: flatArray('maps', set.maps),
    ...(masks === undefined || masks === null ? {} : { masks: flatArray('masks', masks) }),
    count,
    height,
    width,
    ...(scores ? { scores: Float64Array.from(scores) } : {}),
    ...(labels ? { labels: Uint8Array.from(labels, Number) } : {}),
  };
}

/** A copy with a value for each picture, none of which is undefined. */
function valuesOf<T>(
  name: string,
  list: ArrayLike<T> | undefined,
  count: number,
  check: (name: string, value: unknown) => void,
): T[] | undefined {
  if (list === undefined) return undefined;
  if (Object(list).length !== count) throw wrongValue(`${count} values`, name, list);
  const values = Array.from(list);
  for (const [at, value] of values.entries()) check(`${name}[${at}]`, value);
  return values;
}

function flatArray(name: string, array: FlatArray): Required<FlatArray> & { offset: number } {
  if (typeof array?.path !== 'string') throw wrongValue('{ path, offset }', name, array);
  checkNames('field', array, ['path', 'offset'] satisfies (keyof FlatArray)[]);
  const { path, offset = 0 } = array;
  checkPath(`${name}.path`, path);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw wrongValue('a number of bytes', `${name}.offset`, offset);
  return { path, offset };
}
