/** What every reader of a format is given beside the file, and the limits that all of them keep. */
import { CraneError } from '../errors.js';
import type { Size } from '../options/types.js';

export interface ReadLimits {
  /** more pixels are refused before decoding */
  maxPixels: number;
  /** smaller sides are refused, of which a model sees nothing; default 8 */
  minSide?: number;
  /** apply the EXIF orientation */
  exif: boolean;
  /** called with the bytes of the decoded picture before they are taken; resolves when they may be */
  reserve?: (bytes: number) => Promise<void>;
  /** a picture that comes as a stream is given up when it fires */
  signal?: AbortSignal | undefined;
}

const k_minSide = 8;

/** @throws CraneError E_IMAGE_DECODE for sides that are no whole numbers, E_IMAGE_TOO_LARGE, E_IMAGE_TOO_SMALL */
export function checkSize(
  name: string,
  width: number,
  height: number,
  { maxPixels, minSide = k_minSide }: Pick<ReadLimits, 'maxPixels' | 'minSide'>,
): void {
  if (!Number.isSafeInteger(width) || !Number.isSafeInteger(height))
    throw new CraneError('E_IMAGE_DECODE', `${name}: damaged: its size is ${width} x ${height} pixels`);
  checkPixels(name, { width, height }, maxPixels);
  if (Math.min(width, height) < minSide) {
    throw new CraneError(
      'E_IMAGE_TOO_SMALL',
      `${name}: ${width} x ${height} pixels, expected at least ${minSide} a side`,
    );
  }
}

/** Of what is not to be looked at any further. @param what stands before the size in the message. @throws CraneError E_IMAGE_TOO_LARGE */
export function checkPixels(name: string, { width, height }: Size, maxPixels: number, what = ''): void {
  if (!(width * height <= maxPixels)) throw tooLarge(name, `${what}${width} x ${height} pixels`, maxPixels);
}

function tooLarge(name: string, found: string, maxPixels: number, cause?: unknown): CraneError {
  return new CraneError('E_IMAGE_TOO_LARGE', `${name}: ${found}, the limit is ${maxPixels} pixels`, {
    hint: 'raise it with --max-pixels (maxPixels) if the picture is to be trusted',
    cause,
  });
}
