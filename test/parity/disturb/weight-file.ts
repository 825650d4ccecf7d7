/** Changes one value of a safetensors file in place. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { halfBits, halfTable } from '../fixture/float16.js';
import { elementCount, SafetensorsFile } from '../fixture/safetensors.js';

export function addToValue(path: string, tensor: string, index: number, amount: number): void {
  const file = new SafetensorsFile(path);
  if (index < 0 || index >= elementCount(file.shape(tensor)))
    throw new Error(`${path}: ${tensor} has no value ${index}`);
  const dtype = file.dtype(tensor);
  if (dtype !== 'F32' && dtype !== 'F16') throw new Error(`${path}: ${tensor} is ${dtype}, not F32 or F16`);
  const bytes = Buffer.alloc(dtype === 'F32' ? 4 : 2);
  const at = file.offset(tensor) + index * bytes.length;
  const handle = openSync(path, 'r+');
  try {
    readSync(handle, bytes, 0, bytes.length, at);
    if (dtype === 'F32') bytes.writeFloatLE(bytes.readFloatLE() + amount);
    else bytes.writeUInt16LE(halfBits(halfTable()[bytes.readUInt16LE()]! + amount));
    writeSync(handle, bytes, 0, bytes.length, at);
  } finally {
    closeSync(handle);
  }
}
