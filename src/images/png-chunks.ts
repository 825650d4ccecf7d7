/** Walks the chunks of a PNG: what stands where, by their lengths alone. Hostile bytes: nothing is searched for as text. */
import type { OpenFile } from '../files/open-file.js';

export interface PngChunk {
  name: string;
  /** of its bytes, in the file */
  from: number;
  /** as it is stated: it may lead beyond the end of the file */
  length: number;
}

const k_signature = 8;
/** A chunk's length and name; its checksum follows its bytes. */
const k_chunkHead = 8;
const k_checksum = 4;
/** Text and profiles may come before the pixels, but not without end. */
export const mostPngChunks = 100_000;
/** Read at once: small chunks stand close together. */
const k_window = 1 << 14;

/**
 * @param visit of each chunk in turn; true ends the walk
 * @returns 'ended': the file did, before that; 'too many': it has more chunks than are looked at
 */
export async function walkPng(
  { read, bytes }: Pick<OpenFile, 'read' | 'bytes'>,
  visit: (chunk: PngChunk) => boolean,
): Promise<'found' | 'ended' | 'too many'> {
  let at = k_signature;
  let window = Buffer.alloc(0);
  let start = 0;
  for (let count = 0; at + k_chunkHead <= bytes; count++) {
    if (count === mostPngChunks) return 'too many';
    if (at < start || at + k_chunkHead > start + window.length) {
      window = Buffer.from(await read(at, k_window));
      start = at;
      if (window.length < k_chunkHead) return 'ended';
    }
    const length = window.readUInt32BE(at - start);
    const name = window.toString('latin1', at - start + 4, at - start + k_chunkHead);
    if (visit({ name, from: at + k_chunkHead, length })) return 'found';
    at += k_chunkHead + length + k_checksum;
  }
  return 'ended';
}

/** How many frames an animated PNG announces before its pixels (chunk acTL); undefined: it has more chunks than are looked at. */
export async function pngFrames(file: OpenFile): Promise<number | undefined> {
  let control: PngChunk | undefined;
  const end = await walkPng(file, (chunk) => {
    if (chunk.name === 'acTL') control ??= chunk;
    return chunk.name === 'IDAT' || control !== undefined;
  });
  if (end === 'too many') return undefined;
  const count = control && Buffer.from(await file.read(control.from, 4));
  return count?.length === 4 ? count.readUInt32BE(0) : 1;
}
