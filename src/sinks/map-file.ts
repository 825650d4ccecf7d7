/** Anomaly maps as files: NumPy, 16-bit PNG, float TIFF. */
import { endianness } from 'node:os';
import { CraneError } from '../errors.js';
import type { AnomalyMap } from '../images/anomaly-map.js';

export type MapFormat = 'npy' | 'png16' | 'tiff';

export const mapEnding: Record<MapFormat, string> = { npy: '.map.npy', png16: '.map.png', tiff: '.map.tiff' };

/** The parts of the file, in order: the values themselves are not copied. @throws CraneError E_IMAGE_TOO_LARGE */
export async function mapFile(map: AnomalyMap, format: MapFormat): Promise<Uint8Array[]> {
  if (format === 'png16') return [await map.toPng()];
  const values = new Uint8Array(map.data.buffer, map.data.byteOffset, map.data.byteLength);
  return [format === 'npy' ? npyHeader(map.width, map.height) : tiffHeader(map.width, map.height), values];
}

/** NumPy's format 1.0: magic, version, length, a Python literal padded so that the data begins at a multiple of 64. */
function npyHeader(width: number, height: number): Buffer {
  const order = endianness() === 'LE' ? '<' : '>';
  const literal = `{'descr': '${order}f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const padding = 63 - ((10 + literal.length) % 64);
  const header = `${literal}${' '.repeat(padding)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 0, 0]);
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header, 'latin1')]);
}

const k_short = 3;
const k_long = 4;
/** Its places and counts have 32 bits, and its directory takes some of them. */
const k_mostBytesOfTiff = 2 ** 32 - 256;

/** Baseline TIFF with one strip of 32-bit floats, in the machine's own byte order. */
function tiffHeader(width: number, height: number): Buffer {
  const bytesOfValues = width * height * 4;
  if (bytesOfValues > k_mostBytesOfTiff)
    throw new CraneError(
      'E_IMAGE_TOO_LARGE',
      `a map of ${width} x ${height} values: a TIFF holds ${k_mostBytesOfTiff} bytes of them`,
      { hint: 'NumPy files have no such limit: --maps npy' },
    );
  const entries: [tag: number, type: number, value: number][] = [
    [256, k_long, width],
    [257, k_long, height],
    [258, k_short, 32], // bits per sample
    [259, k_short, 1], // no compression
    [262, k_short, 1], // black is zero
    [273, k_long, 0], // the strip's offset, set below
    [277, k_short, 1], // samples per pixel
    [278, k_long, height], // rows per strip
    [279, k_long, bytesOfValues], // bytes of the strip
    [339, k_short, 3], // floating point
  ];
  const bytes = 8 + 2 + entries.length * 12 + 4;
  entries[5]![2] = bytes;
  const isLittle = endianness() === 'LE';
  const buffer = Buffer.alloc(bytes);
  const view = new DataView(buffer.buffer, buffer.byteOffset, bytes);
  buffer.write(isLittle ? 'II' : 'MM', 'latin1');
  view.setUint16(2, 42, isLittle);
  view.setUint32(4, 8, isLittle);
  view.setUint16(8, entries.length, isLittle);
  entries.forEach(([tag, type, value], index) => {
    const at = 10 + 12 * index;
    view.setUint16(at, tag, isLittle);
    view.setUint16(at + 2, type, isLittle);
    view.setUint32(at + 4, 1, isLittle);
    if (type === k_short) view.setUint16(at + 8, value, isLittle);
    else view.setUint32(at + 8, value, isLittle);
  });
  return buffer;
}
