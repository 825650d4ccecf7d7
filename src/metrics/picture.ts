/** One picture with what a method said about it and what is true. */
import { types } from 'node:util';
import type { MetricPicture } from '../addon/metrics.js';
import { CraneError } from '../errors.js';
import { wrongValue } from '../options/check.js';

/** Row-major, [height, width]. An AnomalyMap is one. */
export interface MapValues {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Row-major, [height, width]; every value but 0 is anomalous. */
export interface MaskValues {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface EvaluatedPicture {
  className: string;
  /** what messages call it; default: its class and number */
  name?: string | undefined;
  /** of the whole picture; without it the picture is not among the image metrics */
  score?: number | undefined;
  /** true or 1: anomalous; default: whether the mask has an anomalous pixel */
  label?: boolean | 0 | 1 | undefined;
  /** without it the picture is not among the pixel metrics */
  map?: MapValues | null | undefined;
  /**
   * The size of the map. A normal picture needs none: all its pixels are normal. An anomalous picture without a mask is
   * not among the pixel metrics, and that is counted (Remarks).
   */
  mask?: MaskValues | null | undefined;
}

/**
 * The picture as the engine takes it. Rejects what has a wrong type; sizes and NaN are the engine's to check.
 * @param number of its class, for its name
 */
export function nativePicture(picture: EvaluatedPicture, number: number): MetricPicture {
  const { className, score, label } = picture;
  const [map, mask] = [picture.map ?? undefined, picture.mask ?? undefined];
  if (typeof className !== 'string') throw wrongValue('a string', 'className', className);
  const name = picture.name ?? `picture ${number} of class "${className}"`;
  if (typeof name !== 'string') throw wrongValue('a string', 'name', name);
  if (score !== undefined) checkScore(`score of ${name}`, score);
  if (label !== undefined) checkLabel(`label of ${name}`, label);
  if (map !== undefined && !types.isFloat32Array(map.data)) {
    throw wrongValue('{ data: Float32Array, width, height }', `map of ${name}`, map);
  }
  if (mask !== undefined && !types.isUint8Array(mask.data)) {
    throw wrongValue('{ data: Uint8Array, width, height }', `mask of ${name}`, mask);
  }
  if (map && mask && (map.width !== mask.width || map.height !== mask.height)) {
    throw new CraneError(
      'E_IMAGE_SHAPE',
      `${name}: the mask is ${mask.width} x ${mask.height}, the map ${map.width} x ${map.height}`,
      { hint: 'resize one to the size of the other before they are compared' },
    );
  }
  const { width, height } = map ?? mask ?? { width: 0, height: 0 };
  for (const side of [width, height]) {
    if (!Number.isInteger(side)) throw wrongValue('whole numbers', `width and height of ${name}`, side);
  }
  return {
    name,
    width,
    height,
    ...(score === undefined ? {} : { score }),
    ...(label === undefined ? {} : { label: Boolean(label) }),
    ...(map ? { map: map.data } : {}),
    ...(mask ? { mask: mask.data } : {}),
  };
}

export function checkScore(name: string, value: unknown): void {
  if (typeof value !== 'number') throw wrongValue('a number', name, value);
}

export function checkLabel(name: string, value: unknown): void {
  if (value !== 0 && value !== 1 && typeof value !== 'boolean')
    throw wrongValue('true, false, 0 or 1', name, value);
}
