/** Whether a picture file keeps its values, or only what an eye sees of them. */
import { openPictureFile } from '../files/open-file.js';
import { headBytes, sniffFormat } from './format.js';
import { readJp2Header } from './jp2-header.js';
import { isLossyCompression } from './tiff/compression.js';
import { readDirectories } from './tiff/directory.js';
import { tiffForm } from './tiff/form.js';

/**
 * JPEG, also within a TIFF, HEIC, JPEG 2000 by its lossy wavelet, and WebP unless its pixels are lossless; AVIF too, which could keep values but as it is
 * saved never does. @throws CraneError E_INPUT_*, E_IO_READ */
export async function isLossyFile(path: string): Promise<boolean> {
  const file = await openPictureFile(path);
  try {
    const head = Buffer.from(await file.read(0, headBytes));
    const format = sniffFormat(head);
    if (format === 'jpeg' || format === 'heic' || format === 'avif') return true;
    if (format === 'jp2') return !(await readJp2Header(file.read)).isReversible;
    if (format === 'tiff') {
      const { directories } = await readDirectories(file.read);
      return isLossyCompression(tiffForm(directories).compression);
    }
    if (format !== 'webp') return false;
    // The extended form puts colour profiles and metadata before the pixels.
    for (let at = 12; at + 8 <= file.bytes; ) {
      const chunk = Buffer.from(await file.read(at, 8));
      const name = chunk.toString('latin1', 0, 4);
      if (name === 'VP8 ' || name === 'VP8L') return name === 'VP8 ';
      const bytes = chunk.readUInt32LE(4);
      at += 8 + bytes + (bytes % 2);
    }
    return false;
  } finally {
    await file.close();
  }
}
