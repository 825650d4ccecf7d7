/** The size of a picture as it is stored, and after its EXIF orientation. */
import { measurePicture } from '../images/read-samples.js';
import { sharp } from '../images/sharp.js';

interface Size {
  width: number;
  height: number;
}

/** Of every format that is read. @throws CraneError E_INPUT_*, E_IMAGE_*, E_DEPENDENCY */
export async function pictureSizes(
  path: string,
): Promise<{ stored: Size; upright: Size; orientation: number }> {
  const [stored, upright] = [await measurePicture(path, false), await measurePicture(path, true)];
  return { stored, upright, orientation: await orientationOf(path) };
}

/** Formats that the decoder library does not know (bitmaps, PGM, HEIC) have no EXIF orientation that is applied. */
export async function orientationOf(path: string): Promise<number> {
  return sharp(path, { limitInputPixels: false })
    .metadata()
    .then(
      ({ orientation = 1 }) => orientation,
      () => 1,
    );
}
