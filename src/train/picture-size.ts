/** The size of a picture without decoding it, after its EXIF orientation where that is applied. */
import sharp from 'sharp';
import { CraneError } from '../errors.js';
import { openPictureFile } from '../files/open-file.js';
import { readBmpHeader } from '../images/bmp.js';
import { headBytes, sniffFormat } from '../images/format.js';
import type { Size } from '../options/types.js';

const k_bmpHeadBytes = 14 + 124 + 16 + 1024;

/** @throws CraneError E_INPUT_*, E_IMAGE_DECODE */
export async function pictureSize(path: string, exif: boolean): Promise<Size> {
  const file = await openPictureFile(path);
  try {
    const format = sniffFormat(await file.read(0, headBytes));
    if (format === 'bmp') {
      const { width, height } = readBmpHeader(await file.read(0, k_bmpHeadBytes));
      return { width, height };
    }
    const { width, height, autoOrient } = await sharp(path, { limitInputPixels: false }).metadata();
    // TIFF readers always turn the picture (decode.ts).
    return exif || format === 'tiff'
      ? { width: autoOrient.width, height: autoOrient.height }
      : { width, height };
  } catch (cause) {
    if (cause instanceof CraneError) throw cause;
    throw new CraneError('E_IMAGE_DECODE', `${path}: damaged or not readable (${(cause as Error).message})`, {
      cause,
    });
  } finally {
    await file.close();
  }
}
