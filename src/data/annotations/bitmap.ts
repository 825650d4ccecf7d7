/** A mask that stands in the annotations as a picture of its own, laid at a place. */
import { decodeMask } from '../../images/decode.js';
import { inSlices, rowsOfSlice } from '../../images/in-slices.js';
import { plainMasks } from '../plain-masks.js';
import type { DrawnMask } from './drawn-mask.js';

export interface Bitmap {
  /** a PNG as it was written; it becomes pixels where it is drawn, so that not all are held at once */
  png: Uint8Array;
  /** of its upper left pixel in the picture, whole numbers */
  x: number;
  y: number;
}

/**
 * What lies outside of the picture is cut off; above 0 in any colour is marked.
 * @param name for messages
 * @throws CraneError E_IMAGE_*, E_MEMORY
 */
export async function drawBitmap(
  name: string,
  { png, x: left, y: top }: Bitmap,
  mask: DrawnMask,
  maxPixels: number,
): Promise<void> {
  // A spot may be a pixel wide.
  const limits = { maxPixels, minSide: 1, exif: false };
  const decoded = await decodeMask({ kind: 'bytes', bytes: png, name }, limits);
  const marks = await plainMasks.markMask(decoded, false);
  const { width, height } = decoded;
  const [fromX, toX] = [Math.max(0, -left), Math.min(width, mask.width - left)];
  const [fromY, toY] = [Math.max(0, -top), Math.min(height, mask.height - top)];
  if (fromX >= toX) return;
  await inSlices(
    toY - fromY,
    (first, end) => {
      for (let y = fromY + first; y < fromY + end; y++)
        for (let x = fromX; x < toX; x++)
          if (marks[y * width + x]! > 0) mask.data[(top + y) * mask.width + left + x] = 255;
    },
    rowsOfSlice(toX - fromX),
  );
}
