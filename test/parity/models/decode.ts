/** Decodes a picture file as the reference does: it knows no EXIF orientation, and 16-bit grey above 255 is white. */
import type { NativePicture } from '#crane/addon/native.js';
import { decodePicture } from '#crane/images/decode.js';
import { toPictureSource } from '#crane/images/picture-input.js';
import { readingOf } from '#crane/images/reading.js';

export function decodeFile(path: string): Promise<NativePicture> {
  return decodePicture(toPictureSource(path), {
    maxPixels: 1e8,
    reading: readingOf({ compat: { exif: false, grey16: true } }),
  });
}
