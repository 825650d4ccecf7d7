/** A PNG whose pixels are numbers into a palette: libraries that write PNGs order palettes as they like. */
import { makePng } from '../images/make-png.js';

/** @param colours #rrggbb by number; @param indices row by row */
export function palettePng(colours: readonly string[], indices: readonly number[], width: number): Buffer {
  const height = indices.length / width;
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(indices.slice(y * width, (y + 1) * width), y * (width + 1) + 1);
  const before = [
    { name: 'tEXt', bytes: Buffer.from('note\0PLTE stands behind this') },
    { name: 'PLTE', bytes: Buffer.from(colours.map((colour) => colour.slice(1)).join(''), 'hex') },
  ];
  return makePng({ width, height }, { bits: 8, colourType: 3 }, rows, { before });
}
