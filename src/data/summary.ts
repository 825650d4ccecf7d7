/** Counts the pictures of data sets, for logs and tables. */

import { visible } from '../terminal/visible.js';
import type { DataItem, DataSet, Split } from './data-set.js';

export interface Counts {
  normal: number;
  anomalous: number;
  /** anomalous pictures with a mask */
  withMask: number;
  /** anomalous pictures without one */
  withoutMask: number;
}

export interface ClassSummary extends Counts {
  className: string;
  /** all pictures are normal, or all anomalous: no image-level figures */
  hasOneLabel: boolean;
}

export interface SetSummary extends Counts {
  name: string;
  layout: string;
  split: Split;
  /** in the order of the items */
  classes: ClassSummary[];
}

export interface Summary extends Counts {
  sets: SetSummary[];
}

export function summarise(dataSets: readonly DataSet[]): Summary {
  const sets = dataSets.map(({ name, layout, split, items }) => {
    const byClass = new Map<string, Counts>();
    for (const item of items) count(item, byClass);
    const classes = [...byClass].map(([className, counts]) => ({
      className,
      ...counts,
      hasOneLabel: counts.normal === 0 || counts.anomalous === 0,
    }));
    return { name, layout, split, classes, ...sum(classes) };
  });
  return { sets, ...sum(sets) };
}

/** One line for each set, and one for what its figures will lack. */
export function summaryLines({ sets }: Summary): string[] {
  return sets.flatMap(({ name, split, classes, normal, anomalous, withoutMask }) => {
    const classCount = classes.length === 1 ? '1 class' : `${classes.length} classes`;
    const lines = [
      `${visible(name)} (${split}): ${classCount}, ${normal} normal and ${anomalous} anomalous pictures`,
    ];
    if (withoutMask > 0)
      lines.push(`${visible(name)}: ${withoutMask} of ${anomalous} anomalous pictures have no mask`);
    const oneLabel = classes
      .filter(({ hasOneLabel }) => hasOneLabel)
      .map(({ className }) => visible(className));
    if (oneLabel.length > 0)
      lines.push(
        `${visible(name)}: pictures of one label only, so no image-level figures: ${oneLabel.join(', ')}`,
      );
    return lines;
  });
}

function count({ className, isAnomalous, mask }: DataItem, byClass: Map<string, Counts>): void {
  const counts = byClass.get(className) ?? { normal: 0, anomalous: 0, withMask: 0, withoutMask: 0 };
  if (!isAnomalous) counts.normal++;
  else {
    counts.anomalous++;
    if (mask === null) counts.withoutMask++;
    else counts.withMask++;
  }
  byClass.set(className, counts);
}

function sum(parts: readonly Counts[]): Counts {
  const total = { normal: 0, anomalous: 0, withMask: 0, withoutMask: 0 };
  for (const part of parts) {
    total.normal += part.normal;
    total.anomalous += part.anomalous;
    total.withMask += part.withMask;
    total.withoutMask += part.withoutMask;
  }
  return total;
}
