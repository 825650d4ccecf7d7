/** The values of a map as they go to clients: little-endian, row by row. */
import { endianness } from 'node:os';
import type { AnomalyMap } from '../images/anomaly-map.js';
import type { MapType } from './engine-messages.js';

/** Of whole numbers 0 is the lowest value of the map's range, the largest number its highest; the nearest step is taken. */
export function mapBytes({ data, range: [low, high] }: AnomalyMap, type: MapType): Uint8Array {
  if (type === 'float32') return inOrder(data);
  const steps = type === 'uint8' ? 255 : 65_535;
  const values = type === 'uint8' ? new Uint8Array(data.length) : new Uint16Array(data.length);
  const scale = steps / (high - low);
  for (let at = 0; at < data.length; at++) {
    const step = (data[at]! - low) * scale;
    // Compared, not cut by the array, which would begin anew at 0.
    values[at] = step >= steps ? steps : step > 0 ? step + 0.5 : 0;
  }
  return inOrder(values);
}

function inOrder(values: Float32Array | Uint16Array | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (endianness() === 'LE' || values.BYTES_PER_ELEMENT === 1) return bytes;
  const copy = Buffer.from(bytes);
  return values.BYTES_PER_ELEMENT === 2 ? copy.swap16() : copy.swap32();
}
