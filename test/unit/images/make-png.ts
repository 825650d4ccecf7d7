/** PNGs from their chunks, for what no picture library writes. */
import { crc32, deflateSync } from 'node:zlib';

export interface Chunk {
  name: string;
  bytes: Uint8Array;
}

/** @param header bit depth and colour type; @param before chunks between the header and the pixels; @param after behind the pixels */
export function makePng(
  { width, height }: { width: number; height: number },
  header: { bits: number; colourType: number },
  rows: Uint8Array,
  { before = [], after = [] }: { before?: readonly Chunk[]; after?: readonly Chunk[] } = {},
): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([header.bits, header.colourType, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    ...[
      { name: 'IHDR', bytes: head },
      ...before,
      { name: 'IDAT', bytes: deflateSync(rows) },
      ...after,
      { name: 'IEND', bytes: new Uint8Array() },
    ].map(stored),
  ]);
}

function stored({ name, bytes }: Chunk): Buffer {
  const whole = Buffer.alloc(bytes.length + 12);
  whole.writeUInt32BE(bytes.length, 0);
  whole.write(name, 4, 'latin1');
  whole.set(bytes, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, bytes.length + 8)), bytes.length + 8);
  return whole;
}
