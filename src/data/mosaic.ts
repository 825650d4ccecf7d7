/** Puts four pictures and their masks together into one (method.md 7, `mosaicRate`). */
import type { NativePicture } from '../addon/native.js';
import { inSlices, rowsOfSlice } from '../images/in-slices.js';
import { wrongValue } from '../options/check.js';
import type { GreyMask } from './label-mask.js';
import type { MosaicPlan } from './mosaic-plan.js';

export interface Mosaic {
  /** RGB, in the size of the first tile's picture */
  picture: NativePicture;
  /** in the picture's size; null for a normal mosaic, and where a tile of an anomalous one has no mask */
  mask: GreyMask | null;
}

/** The engine's resizePicture: Pillow's bicubic, to RGB [height, width, 3]. */
export type ResizePicture = (picture: NativePicture, width: number, height: number) => Promise<Uint8Array>;

interface Tile {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * @param pictures the four tiles in the plan's order, as decoded
 * @param masks their masks, each in its picture's size; null where there is none
 */
export async function composeMosaic(
  plan: Pick<MosaicPlan, 'isAnomalous'>,
  pictures: readonly NativePicture[],
  masks: readonly (GreyMask | null)[],
  resize: ResizePicture,
): Promise<Mosaic> {
  const [first] = pictures;
  if (first === undefined || pictures.length !== 4 || masks.length !== 4)
    throw wrongValue('four pictures and four masks', 'a mosaic', {
      pictures: pictures.length,
      masks: masks.length,
    });
  const { width, height } = first;
  const tiles = tilesOf(width, height);

  const rgb = new Uint8Array(width * height * 3);
  for (const [index, tile] of tiles.entries())
    await paste(await resize(pictures[index]!, tile.width, tile.height), tile, rgb, width, 3);

  let mask: GreyMask | null = null;
  if (plan.isAnomalous && masks.every((tileMask) => tileMask !== null)) {
    const grey = new Uint8Array(width * height);
    for (const [index, tile] of tiles.entries())
      await paste(await nearest(masks[index]!, tile.width, tile.height), tile, grey, width, 1);
    mask = { data: grey, width, height, mode: 'L' };
  }
  return { picture: { data: rgb, width, height, mode: 'RGB' }, mask };
}

/** Of an odd side the right or lower tile is one pixel larger. */
function tilesOf(width: number, height: number): Tile[] {
  const [left, top] = [Math.floor(width / 2), Math.floor(height / 2)];
  return [
    { x: 0, y: 0, width: left, height: top },
    { x: left, y: 0, width: width - left, height: top },
    { x: 0, y: top, width: left, height: height - top },
    { x: left, y: top, width: width - left, height: height - top },
  ];
}

/** Copies src [tile.height, tile.width, channels] to its place in dst [.., dstWidth, channels]. */
function paste(
  src: Uint8Array,
  tile: Tile,
  dst: Uint8Array,
  dstWidth: number,
  channels: number,
): Promise<void> {
  const row = tile.width * channels;
  const pasteRows = (from: number, to: number) => {
    for (let y = from; y < to; y++)
      dst.set(src.subarray(y * row, (y + 1) * row), ((tile.y + y) * dstWidth + tile.x) * channels);
  };
  return inSlices(tile.height, pasteRows, rowsOfSlice(row));
}

/** The source pixel under the centre of each pixel: a mask's values are kept, none is made up between them. */
async function nearest(mask: GreyMask, width: number, height: number): Promise<Uint8Array> {
  const resized = new Uint8Array(width * height);
  const columns = Uint32Array.from({ length: width }, (_, x) => under(x, width, mask.width));
  const resizeRows = (from: number, to: number) => {
    for (let y = from, at = from * width; y < to; y++) {
      const row = under(y, height, mask.height) * mask.width;
      for (let x = 0; x < width; x++) resized[at++] = mask.data[row + columns[x]!]!;
    }
  };
  await inSlices(height, resizeRows, rowsOfSlice(width));
  return resized;
}

/** floor((at + 1/2) * from / to) in whole numbers. */
function under(at: number, to: number, from: number): number {
  return Math.floor(((2 * at + 1) * from) / (2 * to));
}
