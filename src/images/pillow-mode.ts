/** The mode in which Pillow opens a picture, where a file's first bytes decide it (method.md 2). */
import type { Samples } from './samples.js';

/** Pillow ignores a PNG's tRNS chunk outside palettes and reads two bytes of 16-bit grey with alpha as RGBA. */
export function pngMode(head: Uint8Array): Samples['mode'] | undefined {
  const depth = head[24];
  const colourType = head[25];
  if (colourType === 0) return depth === 1 ? 'P' : 'L';
  if (colourType === 2) return 'RGB';
  if (colourType === 3) return 'P';
  if (colourType === 4 || colourType === 6) return 'RGBA';
  return undefined;
}

/** A GIF is a palette picture, except when its palette is the grey ramp 0, 1, 2, ...: then Pillow opens it as L. */
export function gifMode(head: Uint8Array): Samples['mode'] {
  const packed = head[10] ?? 0;
  const hasTable = (packed & 0x80) !== 0;
  const entries = 2 << (packed & 7);
  for (let entry = 0; hasTable && entry < entries; entry++) {
    const at = 13 + 3 * entry;
    if (head[at] !== entry || head[at + 1] !== entry || head[at + 2] !== entry) return 'P';
  }
  return hasTable ? 'L' : 'P';
}
