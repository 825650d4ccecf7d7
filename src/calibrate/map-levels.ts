/** The values of one map as counts at fixed levels: all that a threshold for pixels needs of it. */
import type { MapValues, MaskValues } from '../metrics/index.js';
import type { PictureLevels } from './best-f1.js';

/** Thresholds of maps are multiples of 1/4096: finer steps change F1 by less than the pictures' choice does. */
export const k_mapLevels = 4096;

/** Falling, as LevelledPictures wants them: level 0 is 4095/4096, the last one 0. */
export const mapThresholds: readonly number[] = Array.from(
  { length: k_mapLevels },
  (_, level) => (k_mapLevels - 1 - level) / k_mapLevels,
);

/**
 * @param mask in the map's size; null: all pixels are normal
 * @returns levels that occur, rising
 */
export function mapLevels(map: MapValues, mask: MaskValues | null, isAnomalous: boolean): PictureLevels {
  const anomalous = new Uint32Array(k_mapLevels);
  const normal = new Uint32Array(k_mapLevels);
  for (let at = 0; at < map.data.length; at++) {
    const level =
      k_mapLevels - 1 - Math.min(k_mapLevels - 1, Math.max(0, Math.floor(map.data[at]! * k_mapLevels)));
    if (mask && mask.data[at] !== 0) anomalous[level]!++;
    else normal[level]!++;
  }
  const level = Uint16Array.from(normal.keys()).filter((at) => normal[at]! > 0 || anomalous[at]! > 0);
  return {
    isAnomalous,
    level,
    anomalous: Uint32Array.from(level, (at) => anomalous[at]!),
    normal: Uint32Array.from(level, (at) => normal[at]!),
  };
}
