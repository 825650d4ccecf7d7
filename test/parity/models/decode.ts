/** Decodes a picture file as the product does, but without its EXIF orientation: the reference knows none. */
import type { NativePicture } from '#crane/addon/native.js';
import { decodePicture } from '#crane/images/decode.js';
import { toPictureSource } from '#crane/images/picture-input.js';

export function decodeFile(path: string): Promise<NativePicture> {
  return decodePicture(toPictureSource(path), { maxPixels: 1e8, exif: false });
}
