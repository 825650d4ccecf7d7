/** Puts four pictures, or their masks, together into one (method.md 7, `mosaicRate`), on the addon's threads. */
import type { NativeAddon, NativePicture } from '../addon/native.js';
import { wrongValue } from '../options/check.js';
import type { GreyMask } from './label-mask.js';

/**
 * RGB, in the size of the first picture.
 * @param pictures the four tiles in the plan's order, as decoded
 * @throws CraneError E_USAGE, E_IMAGE_SHAPE for a first picture with a side below 2
 */
export async function mosaicOfPictures(
  pictures: readonly NativePicture[],
  addon: Pick<NativeAddon, 'mosaicOfPictures'>,
): Promise<NativePicture> {
  const { width, height } = firstOfFour(pictures, 'pictures');
  return { data: await addon.mosaicOfPictures(pictures, width, height), width, height, mode: 'RGB' };
}

/**
 * In the size of the first mask; each pixel is one of a mask's, none is made up between them.
 * @param masks those of the four tiles in the plan's order, each in its picture's size
 * @throws CraneError E_USAGE
 */
export async function mosaicOfMasks(
  masks: readonly GreyMask[],
  addon: Pick<NativeAddon, 'mosaicOfMasks'>,
): Promise<GreyMask> {
  const { width, height } = firstOfFour(masks, 'masks');
  return { data: await addon.mosaicOfMasks(masks, width, height), width, height, mode: 'L' };
}

function firstOfFour(tiles: readonly NativePicture[], what: string): NativePicture {
  const [first] = tiles;
  if (first === undefined || tiles.length !== 4) throw wrongValue(`four ${what}`, 'a mosaic', tiles.length);
  return first;
}
