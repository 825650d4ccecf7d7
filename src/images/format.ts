/**
 * What a picture file is, read from its first bytes, and the mode in which Pillow would open it where the bytes
 * alone decide (method.md 2). Only the formats listed here ever reach a decoder.
 */
import type { PictureMode } from '../addon/native.js';

export type PictureFormat = 'png' | 'jpeg' | 'webp' | 'tiff' | 'gif' | 'bmp';

/** Bytes of the head that are enough for every format, a GIF's colour table included. */
export const headBytes = 1024;

/** File name endings taken from folders. */
export const pictureEndings = [
  'png',
  'jpg',
  'jpeg',
  'jpe',
  'jfif',
  'webp',
  'tif',
  'tiff',
  'gif',
  'bmp',
] as const;

export function sniffFormat(head: Uint8Array): PictureFormat | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...head.subarray(from, to));
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (/^(II[*+]\0|MM\0[*+])$/.test(text(0, 4))) return 'tiff';
  if (/^GIF8[79]a$/.test(text(0, 6))) return 'gif';
  if (text(0, 2) === 'BM') return 'bmp';
  return undefined;
}

/** Pillow ignores a PNG's tRNS chunk outside palettes and reads two bytes of 16-bit grey with alpha as RGBA. */
export function pngMode(head: Uint8Array): PictureMode | undefined {
  const depth = head[24];
  const colourType = head[25];
  if (colourType === 0) return depth === 16 ? 'I;16' : depth === 1 ? 'P' : 'L';
  if (colourType === 2) return 'RGB';
  if (colourType === 3) return 'P';
  if (colourType === 4 || colourType === 6) return 'RGBA';
  return undefined;
}

/** A GIF is a palette picture, except when its palette is the grey ramp 0, 1, 2, ...: then Pillow opens it as L. */
export function gifMode(head: Uint8Array): PictureMode {
  const packed = head[10] ?? 0;
  const hasTable = (packed & 0x80) !== 0;
  const entries = 2 << (packed & 7);
  for (let entry = 0; hasTable && entry < entries; entry++) {
    const at = 13 + 3 * entry;
    if (head[at] !== entry || head[at + 1] !== entry || head[at + 2] !== entry) return 'P';
  }
  return hasTable ? 'L' : 'P';
}
