/** Counts the pictures of data sets, for logs and tables. */

import { leftOutLine, type ScanReport } from '../scan/scan-account.js';
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
  /** names of the kinds that are taken as normal */
  normalKinds: string[];
  /** in the order of the items */
  classes: ClassSummary[];
  scan: ScanReport;
}

export interface Summary extends Counts {
  sets: SetSummary[];
}

export function summarise(dataSets: readonly DataSet[]): Summary {
  const sets = dataSets.map(({ name, layout, split, items, scan }) => {
    const byClass = new Map<string, Counts>();
    for (const item of items) count(item, byClass);
    const classes = [...byClass].map(([className, counts]) => ({
      className,
      ...counts,
      hasOneLabel: counts.normal === 0 || counts.anomalous === 0,
    }));
    const normalKinds = [...new Set(items.filter(({ isAnomalous }) => !isAnomalous).map(({ kind }) => kind))];
    return { name, layout, split, normalKinds, classes, scan, ...sum(classes) };
  });
  return { sets, ...sum(sets) };
}

/** One line for each set, with what its scan left out, and one for what its figures will lack. */
export function summaryLines({ sets }: Summary): string[] {
  return sets.flatMap(({ name, split, classes, normal, anomalous, withoutMask, normalKinds, scan }) => {
    const classCount = classes.length === 1 ? '1 class' : `${classes.length} classes`;
    const lines = [
      `${visible(name)} (${split}): ${classCount}, ${normal} normal${ofKinds(normalKinds)} and ${anomalous} anomalous pictures${visible(leftOutLine(scan))}`,
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

/** Which folder was taken as normal is said: its name decided every label. */
function ofKinds(kinds: readonly string[]): string {
  return kinds.length === 0
    ? ''
    : ` (${kinds.slice(0, 3).map(visible).join(', ')}${kinds.length > 3 ? ', ...' : ''})`;
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
