/** The palette of a PNG: what its pixels' numbers mean, which decoding turns into colours. */
import type { OpenFile } from '../files/open-file.js';
import { sniffFormat } from './format.js';
import { type PngChunk, walkPng } from './png-chunks.js';

const k_mostBytes = 3 * 256;

/** @returns red, green and blue of each entry; undefined: no PNG, or one without a palette for its pixels. Damage is for the decoder to tell */
export async function pngPalette(file: OpenFile): Promise<Uint8Array | undefined> {
  const head = await file.read(0, 26);
  const isIndexed = sniffFormat(head) === 'png' && head[25] === 3;
  if (!isIndexed) return undefined;
  let palette: PngChunk | undefined;
  await walkPng(file, (chunk) => {
    if (chunk.name === 'PLTE') palette = chunk;
    return chunk.name === 'PLTE' || chunk.name === 'IDAT';
  });
  return palette && file.read(palette.from, Math.min(palette.length, k_mostBytes));
}
