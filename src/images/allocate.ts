/** Memory for pixels: running out of it is a coded error, not a plain RangeError. */
import { CraneError } from '../errors.js';

/** @throws CraneError E_MEMORY */
export function allocate(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  return coded(name, bytes, () => new Uint8Array(bytes));
}

/**
 * For the thread of JavaScript, which would be held while large memory is filled with zeros: it holds anything, so every byte of it has
 * to be written before any is read. @throws CraneError E_MEMORY
 */
export function allocateUnfilled(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  return coded(name, bytes, () => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer));
}

function coded(name: string, bytes: number, take: () => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  try {
    return take();
  } catch (cause) {
    throw new CraneError('E_MEMORY', `${name}: no memory for ${bytes} bytes of pixels`, {
      hint: 'score fewer pictures at once, or lower maxDecodedBytes and maxPixels',
      cause,
    });
  }
}
