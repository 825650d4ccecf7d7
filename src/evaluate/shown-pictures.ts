/** Pictures that every run over the same data keeps the map of, so that methods can be seen side by side on them. */
import type { PlacedItem } from './test-data.js';

const k_normal = 1;
const k_anomalous = 2;

/** Of a class the first of each label, by the data alone: no score decides. @returns positions in `items` */
export function shownInAll(items: readonly Pick<PlacedItem, 'isAnomalous'>[]): Set<number> {
  const left = { normal: k_normal, anomalous: k_anomalous };
  const shown = new Set<number>();
  for (const [at, { isAnomalous }] of items.entries()) {
    const label = isAnomalous ? 'anomalous' : 'normal';
    if (left[label]-- > 0) shown.add(at);
  }
  return shown;
}
