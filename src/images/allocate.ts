/** Memory for pixels: running out of it is a coded error, not a plain RangeError. */
import { CraneError } from '../errors.js';

/** @throws CraneError E_MEMORY */
export function allocate(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new CraneError('E_MEMORY', `${name}: no memory for ${bytes} bytes of pixels`, {
      hint: 'score fewer pictures at once, or lower maxDecodedBytes and maxPixels',
      cause,
    });
  }
}
