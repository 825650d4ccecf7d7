/** Reads the float32 maps that map-file.ts writes. */
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { CraneError } from '../errors.js';
import { codedReadError } from './open-file.js';

const k_magic = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0]);

/** Row-major. */
export interface NpyMap {
  data: Float32Array;
  width: number;
  height: number;
}

/** Float32 of two dimensions in this machine's byte order. @throws CraneError E_IO_READ, E_INPUT_* */
export async function readNpy(path: string): Promise<NpyMap> {
  const bytes = await readFile(path).catch((thrown: unknown) => {
    throw codedReadError(path, thrown);
  });
  const start = 10 + (bytes.length >= 10 ? bytes.readUInt16LE(8) : 0);
  const order = endianness() === 'LE' ? '<' : '>';
  const header = new RegExp(`'descr': '${order}f4', 'fortran_order': False, 'shape': \\((\\d+), (\\d+)\\)`);
  const shape = bytes.subarray(0, 8).equals(k_magic)
    ? header.exec(bytes.toString('latin1', 10, start))
    : undefined;
  const height = Number(shape?.[1]);
  const width = Number(shape?.[2]);
  if (!shape || width * height === 0 || bytes.length !== start + 4 * width * height) {
    throw new CraneError('E_IO_READ', `${path}: is no map of float32 values in two dimensions`);
  }
  const at = bytes.byteOffset + start;
  // Values need not be aligned within the file's buffer; those of our own files are.
  const data =
    at % 4 === 0
      ? new Float32Array(bytes.buffer as ArrayBuffer, at, width * height)
      : new Float32Array(bytes.buffer.slice(at, bytes.byteOffset + bytes.length) as ArrayBuffer);
  return { data, width, height };
}
