/** Fit `tile` of a picture that it makes very many passes of: minutes, where somebody expects a moment. */
import { CraneError } from '../errors.js';
import type { EngineWarning, Size } from '../options/types.js';

/** Forward passes for one picture that want a word beforehand. */
const k_many = 100;

/** Tiles of a picture, which is enlarged until its shorter side fills one; the rule is that of native/image/fit.cpp. */
export function tilesOf(picture: Size, tile: Size, overlap: number): { count: number; enlarged: number } {
  const enlarged = Math.max(1, tile.width / picture.width, tile.height / picture.height);
  const along = (side: number, length: number) => {
    const scaled = Math.max(Math.round(side * enlarged), length);
    const step = Math.max(length - Math.round(length * overlap), 1);
    return 1 + Math.ceil((scaled - length) / step);
  };
  return { count: along(picture.width, tile.width) * along(picture.height, tile.height), enlarged };
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

/** @returns how many there are. @throws CraneError E_IMAGE_TOO_LARGE */
export function checkTiles(
  name: string,
  picture: Size,
  tile: Size,
  { overlap, most }: { overlap: number; most: number },
): number {
  const { count } = tilesOf(picture, tile, overlap);
  if (count <= most) return count;
  const { width, height } = picture;
  throw new CraneError(
    'E_IMAGE_TOO_LARGE',
    `${name}: fit tile makes ${count} forward passes of its ${width} x ${height} pixels, the limit is ${most}`,
    { hint: 'a smaller overlap makes fewer, fit stretch or pad one; or send it in parts (roi)' },
  );
}
