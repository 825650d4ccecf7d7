/** The size of a picture as it is stored, and after its EXIF orientation. */
import sharp from 'sharp';
import { CraneError } from '../errors.js';

interface Size {
  width: number;
  height: number;
}

/** @throws CraneError E_IMAGE_DECODE */
export async function pictureSizes(
  path: string,
): Promise<{ stored: Size; upright: Size; orientation: number }> {
  try {
    const {
      width,
      height,
      autoOrient,
      orientation = 1,
    } = await sharp(path, { limitInputPixels: false }).metadata();
    const upright = { width: autoOrient.width, height: autoOrient.height };
    return { stored: { width, height }, upright, orientation };
  } catch (cause) {
    throw new CraneError('E_IMAGE_DECODE', `${path}: damaged or not readable (${(cause as Error).message})`, {
      cause,
    });
  }
}
