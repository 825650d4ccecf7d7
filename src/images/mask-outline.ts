/** The outline of a ground-truth mask as a transparent picture to lay over the original. */
import type { NativeAddon, NativePicture } from '../addon/native.js';
import { sharp } from './sharp.js';

const k_thickness = 2;
const k_colour = { r: 0, g: 230, b: 255 };

/** @returns PNG bytes, width x height, the ring around the mask opaque */
export async function maskOutline(
  addon: NativeAddon,
  mask: NativePicture,
  width: number,
  height: number,
): Promise<Buffer> {
  const inside = await addon.resizeMask(mask, width, height);
  const raw = { width, height, channels: 1 as const };
  const full = await sharp(inside, { raw }).linear(255, 0).toColourspace('b-w').raw().toBuffer();
  // A sum over the neighbourhood, cut at 255: white wherever the mask is near.
  const side = 2 * k_thickness + 1;
  const near = { width: side, height: side, kernel: new Array<number>(side * side).fill(1), scale: 1 };
  const wide = await sharp(full, { raw }).convolve(near).toColourspace('b-w').raw().toBuffer();
  const ring = await sharp(wide, { raw }).boolean(full, 'eor', { raw }).toColourspace('b-w').raw().toBuffer();
  return sharp({ create: { width, height, channels: 3, background: k_colour } })
    .joinChannel(ring, { raw })
    .png()
    .toBuffer();
}
