/** Fit `tile` of a picture that it makes very many passes of: minutes, where somebody expects a moment. */
import { CraneError } from '../errors.js';
import type { EngineWarning, Size } from '../options/types.js';

/** Forward passes for one picture that want a word beforehand. */
const k_many = 100;

export interface Tiles {
  count: number;
  /** how often the picture is enlarged, until its shorter side fills a tile */
  enlarged: number;
  /** of the picture then, and of the map that is put together */
  scaled: Size;
}

/** Tiles of a picture; the rule is that of native/image/fit.cpp. */
export function tilesOf(picture: Size, tile: Size, overlap: number): Tiles {
  const enlarged = Math.max(1, tile.width / picture.width, tile.height / picture.height);
  const scaled = {
    width: Math.max(Math.round(picture.width * enlarged), tile.width),
    height: Math.max(Math.round(picture.height * enlarged), tile.height),
  };
  const along = (side: number, length: number) => {
    const step = Math.max(length - Math.round(length * overlap), 1);
    return 1 + Math.ceil((side - length) / step);
  };
  return { count: along(scaled.width, tile.width) * along(scaled.height, tile.height), enlarged, scaled };
}

/** @returns undefined where the passes are no surprise */
export function manyTiles(
  name: string,
  picture: Size,
  tile: Size,
  overlap: number,
): EngineWarning | undefined {
  const { count, enlarged } = tilesOf(picture, tile, overlap);
  if (count < k_many) return undefined;
  const { width, height } = picture;
  const short = Math.min(width, height);
  const why =
    enlarged >= 2
      ? `: it is enlarged ${Math.round(enlarged)} times, so that its side of ${short} pixels fills a tile of ${tile.width} x ${tile.height}. One pass shows it whole with fit stretch or pad; or cut it into pictures of nearly equal sides`
      : '; a smaller overlap makes fewer, fit stretch or pad one';
  return {
    code: 'W_MANY_TILES',
    message: `${name}: fit tile makes ${count} forward passes of its ${width} x ${height} pixels${why}`,
  };
}

/** @throws CraneError E_IMAGE_TOO_LARGE for more than `most` tiles, and for a picture that has more than maxPixels once it is enlarged */
export function checkTiles(
  name: string,
  picture: Size,
  tile: Size,
  { overlap, most, maxPixels }: { overlap: number; most: number; maxPixels: number },
): Tiles {
  const tiles = tilesOf(picture, tile, overlap);
  const { count, scaled } = tiles;
  const { width, height } = picture;
  // One tile is no more than what other fits make of any picture.
  if (count > 1 && scaled.width * scaled.height > maxPixels)
    throw new CraneError(
      'E_IMAGE_TOO_LARGE',
      `${name}: fit tile enlarges its ${width} x ${height} pixels to ${scaled.width} x ${scaled.height}, the limit is ${maxPixels} pixels`,
      {
        hint: 'fit stretch or pad shows it in one pass; or cut it into parts, or raise --max-pixels (maxPixels)',
      },
    );
  if (count <= most) return tiles;
  throw new CraneError(
    'E_IMAGE_TOO_LARGE',
    `${name}: fit tile makes ${count} forward passes of its ${width} x ${height} pixels, the limit is ${most}`,
    { hint: 'a smaller overlap makes fewer, fit stretch or pad one; or send it in parts (roi)' },
  );
}
