/** Pictures of the report as small files: the picture, its map, both laid over each other, the outline of the mask. */
import type { NativeAddon, NativePicture } from '../../addon/native.js';
import { maskOfPicture } from '../../data/label-mask.js';
import { type CraneError, toCraneError } from '../../errors.js';
import { AnomalyMap } from '../../images/anomaly-map.js';
import { decodePicture } from '../../images/decode.js';
import { overlayPicture } from '../../images/heat-map.js';
import { maskOutline } from '../../images/mask-outline.js';
import { toPictureSource } from '../../images/picture-input.js';
import type { Reading } from '../../images/reading.js';
import { sharp } from '../../images/sharp.js';
import { defaultOf } from '../../options/table.js';
import { mapOf } from '../../runs/read-run.js';
import { pathIn, type TestedDataSet } from '../../runs/test-run.js';
import type { ChosenPicture } from './choose-pictures.js';

export interface Illustration extends ChosenPicture {
  width: number;
  height: number;
  /** JPEG */
  original: Uint8Array;
  /** JPEG; null where the run kept no map */
  map: Uint8Array | null;
  overlay: Uint8Array | null;
  /** PNG, transparent but for the ring; null: no mask */
  outline: Uint8Array | null;
}

export interface NotShown {
  chosen: ChosenPicture;
  error: CraneError;
}

export interface IllustrateOptions {
  addon: NativeAddon;
  /** of the run, where the kept maps are */
  folder: string;
  sets: readonly TestedDataSet[];
  /** map values of the first and the last colour, the same for the whole run */
  range: { low: number; high: number };
  /** as it was in the run */
  reading: Reading;
}

export const k_longestSide = 320;
const k_quality = 82;
/** Under the map alone, the grey that the legend lies on. */
const k_grey = 128;

/** A picture that cannot be read any more is told, and the report is made without it. */
export async function illustrate(
  chosen: ChosenPicture,
  options: IllustrateOptions,
): Promise<Illustration | NotShown> {
  try {
    return await draw(chosen, options);
  } catch (thrown) {
    return { chosen, error: toCraneError(thrown) };
  }
}

export function isShown(drawn: Illustration | NotShown): drawn is Illustration {
  return !('error' in drawn);
}

async function draw(chosen: ChosenPicture, options: IllustrateOptions): Promise<Illustration> {
  const { addon, folder, sets, reading } = options;
  const { picture } = chosen;
  const set = sets[chosen.set]!;
  const maxPixels = defaultOf('maxPixels');
  const path = pathIn(set, picture.path);
  const decoded = await decodePicture(toPictureSource(path), { maxPixels, reading });
  const mask =
    picture.maskPath === null || !picture.isAnomalous
      ? null
      : await maskOfPicture(
          {
            masks: (picture.maskPaths ?? [picture.maskPath]).map((mask) => pathIn(set, mask)),
            ...(set.maskValues === undefined ? {} : { maskValues: set.maskValues }),
          },
          { path, width: decoded.width, height: decoded.height },
          { maxPixels, exif: reading.exif, maskGrey: reading.maskGrey, pixels: addon },
        );
  const shrink = Math.min(1, k_longestSide / Math.max(decoded.width, decoded.height));
  const width = Math.max(1, Math.round(decoded.width * shrink));
  const height = Math.max(1, Math.round(decoded.height * shrink));
  const small: NativePicture = {
    data: await addon.resizePicture(decoded, width, height),
    width,
    height,
    mode: 'RGB',
  };
  const values = await mapOf(folder, picture);
  const style = { ...options.range, mapThreshold: null, format: 'jpg' as const };
  const lay = async (below: NativePicture) =>
    values
      ? (await overlayPicture(addon, below, new AnomalyMap(values, addon), style))
          .jpeg({ quality: k_quality })
          .toBuffer()
      : null;
  const grey: NativePicture = { data: new Uint8Array(width * height).fill(k_grey), width, height, mode: 'L' };
  return {
    ...chosen,
    width,
    height,
    original: await sharp(small.data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: k_quality })
      .toBuffer(),
    map: await lay(grey),
    overlay: await lay(small),
    outline: mask && (await maskOutline(addon, mask, width, height)),
  };
}
