/** Copies of a caller's arrays, since threads read them: the caller's own could be transferred away under them. */
// Arrays of another realm (Jest) are no instances of ours.
import { types } from 'node:util';
import { CraneError } from '../errors.js';
import { allocateUnfilled } from './allocate.js';
import { inSlices } from './in-slices.js';

type Numbers = Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;

export interface RowsOfArray {
  /** elements that are taken of each row */
  row: number;
  rows: number;
  /** elements from one row to the next */
  stride: number;
}

/** Bytes that are copied before the loop lets others run: new memory comes page by page, each a call of the system. */
const k_sliceBytes = 1 << 17;

/** @throws CraneError E_IMAGE_SHAPE when the array is transferred or resized meanwhile, E_MEMORY */
export async function ownCopy(name: string, data: Float32Array, shape: RowsOfArray): Promise<Float32Array>;
export async function ownCopy(
  name: string,
  data: Exclude<Numbers, Float32Array>,
  shape: RowsOfArray,
): Promise<Uint8Array | Uint16Array>;
export async function ownCopy(
  name: string,
  data: Numbers,
  { row, rows, stride }: RowsOfArray,
): Promise<Uint8Array | Uint16Array | Float32Array> {
  const memory = allocateUnfilled(name, row * rows * data.BYTES_PER_ELEMENT).buffer;
  const copy = types.isFloat32Array(data)
    ? new Float32Array(memory)
    : types.isUint16Array(data)
      ? new Uint16Array(memory)
      : new Uint8Array(memory);
  // What was checked when it was given may be gone already when its turn comes.
  const needed = stride * (rows - 1) + row;
  const throwIfGone = () => {
    if (data.length >= needed) return;
    throw new CraneError('E_IMAGE_SHAPE', `${name}: its array was transferred or resized while it was read`, {
      hint: 'leave the array alone until the result is there',
    });
  };
  const sliceElements = k_sliceBytes / data.BYTES_PER_ELEMENT;
  if (stride === row) {
    await inSlices(
      row * rows,
      (from, to) => {
        throwIfGone();
        copy.set(data.subarray(from, to), from);
      },
      sliceElements,
    );
  } else {
    await inSlices(
      rows,
      (from, to) => {
        throwIfGone();
        for (let y = from; y < to; y++) copy.set(data.subarray(y * stride, y * stride + row), y * row);
      },
      Math.max(1, Math.floor(sliceElements / row)),
    );
  }
  return copy;
}
