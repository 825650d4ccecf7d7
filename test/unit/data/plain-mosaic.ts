/** Mosaics as plain loops: what the engine's own (native/image/mosaic.h) are compared with. */
import type { NativeAddon, NativePicture } from '../../../src/addon/native.js';

interface Tile {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** @param resizePicture to RGB [height, width, 3] */
export function plainMosaics(
  resizePicture: NativeAddon['resizePicture'],
): Pick<NativeAddon, 'mosaicOfPictures' | 'mosaicOfMasks'> {
  return {
    async mosaicOfPictures(pictures, width, height) {
      const rgb = new Uint8Array(width * height * 3);
      for (const [index, tile] of tilesOf(width, height).entries()) {
        const resized = await resizePicture(pictures[index]!, tile.width, tile.height);
        const row = tile.width * 3;
        for (let y = 0; y < tile.height; y++)
          rgb.set(resized.subarray(y * row, (y + 1) * row), ((tile.y + y) * width + tile.x) * 3);
      }
      return rgb;
    },
    async mosaicOfMasks(masks, width, height) {
      const grey = new Uint8Array(width * height);
      for (const [index, tile] of tilesOf(width, height).entries()) {
        for (let y = 0; y < tile.height; y++)
          for (let x = 0; x < tile.width; x++)
            grey[(tile.y + y) * width + tile.x + x] = nearest(masks[index]!, x, y, tile);
      }
      return grey;
    },
  };
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

/** The source pixel under the centre of the tile's pixel. */
function nearest({ data, width, height }: NativePicture, x: number, y: number, tile: Tile): number {
  const under = (at: number, to: number, from: number) => Math.floor(((2 * at + 1) * from) / (2 * to));
  return data[under(y, tile.height, height) * width + under(x, tile.width, width)]!;
}
