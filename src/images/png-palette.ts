/** The palette of a PNG: what its pixels' numbers mean, which decoding turns into colours. */
import type { OpenFile } from '../files/open-file.js';
import { sniffFormat } from './format.js';

const k_signature = 8;
/** A chunk's length and name; its checksum follows its bytes. */
const k_chunkHead = 8;
const k_checksum = 4;
const k_mostBytes = 3 * 256;
/** Text and profiles may come before it, but not without end. */
const k_mostChunks = 1000;

/** @returns red, green and blue of each entry; undefined: no PNG, or one without a palette for its pixels. Damage is for the decoder to tell */
export async function pngPalette({ read, bytes }: OpenFile): Promise<Uint8Array | undefined> {
  const head = await read(0, 26);
  const isIndexed = sniffFormat(head) === 'png' && head[25] === 3;
  if (!isIndexed) return undefined;
  let at = k_signature;
  for (let chunk = 0; chunk < k_mostChunks && at + k_chunkHead <= bytes; chunk++) {
    const start = Buffer.from(await read(at, k_chunkHead));
    if (start.length < k_chunkHead) return undefined;
    const length = start.readUInt32BE(0);
    const name = start.toString('latin1', 4, 8);
    if (name === 'PLTE') return read(at + k_chunkHead, Math.min(length, k_mostBytes));
    if (name === 'IDAT') return undefined;
    at += k_chunkHead + length + k_checksum;
  }
  return undefined;
}
