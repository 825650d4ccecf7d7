/** Which pictures a contact sheet shows: those with findings first, then as many of each kind, evenly over its list. Pure. */

import type { Finding } from '../../data/check/finding.js';
import { byCodeUnits, type DataItem, type Split } from '../../data/data-set.js';

export interface SheetPicture {
  item: DataItem;
  split: Split;
  findings: readonly Finding[];
}

/** Pictures of one kind of one class of one split. */
export interface SheetGroup {
  split: Split;
  className: string;
  kind: string;
  isAnomalous: boolean;
  /** of the data set */
  count: number;
  /** with a finding, of the data set */
  withFindings: number;
  /** in the data set's order */
  shown: SheetPicture[];
}

export interface SheetLimits {
  /** of a group that have findings */
  withFindings: number;
  /** of a group that have none */
  others: number;
  /** of all */
  total: number;
}

/** By split, class, anomalous before normal, kind: masks are what is looked at. */
export function chooseForSheet(
  sets: readonly { split: Split; items: readonly DataItem[] }[],
  findings: readonly Finding[],
  limits: SheetLimits,
): SheetGroup[] {
  const byPath = new Map<string, Finding[]>();
  for (const finding of findings)
    for (const path of finding.paths) byPath.set(path, [...(byPath.get(path) ?? []), finding]);
  const groups = new Map<string, SheetPicture[]>();
  for (const { split, items } of sets)
    for (const item of items) {
      const own = [item.imagePath, ...item.maskPaths].flatMap((path) => byPath.get(path) ?? []);
      const key = JSON.stringify([split, item.className, item.isAnomalous, item.kind]);
      const picture = { item, split, findings: [...new Set(own)] };
      const known = groups.get(key);
      if (known) known.push(picture);
      else groups.set(key, [picture]);
    }
  const whole = [...groups.values()].sort((a, b) => inOrder(a[0]!, b[0]!));
  // With very many groups each shows less, but one at least where there is room.
  const share = Math.max(1, Math.floor(limits.total / Math.max(1, whole.length)));
  let room = limits.total;
  return whole.map((pictures) => {
    const odd = pictures.filter((picture) => picture.findings.length > 0);
    const plain = pictures.filter((picture) => picture.findings.length === 0);
    const most = Math.min(share, room);
    const oddShown = evenly(odd, Math.min(limits.withFindings, most));
    const plainShown = evenly(plain, Math.min(limits.others, Math.max(0, most - oddShown.length)));
    const shown = new Set([...oddShown, ...plainShown]);
    room -= shown.size;
    const { split, item } = pictures[0]!;
    return {
      split,
      className: item.className,
      kind: item.kind,
      isAnomalous: item.isAnomalous,
      count: pictures.length,
      withFindings: odd.length,
      shown: pictures.filter((picture) => shown.has(picture)),
    };
  });
}

function inOrder(a: SheetPicture, b: SheetPicture): number {
  return (
    byCodeUnits(a.split, b.split) ||
    byCodeUnits(a.item.className, b.item.className) ||
    Number(b.item.isAnomalous) - Number(a.item.isAnomalous) ||
    byCodeUnits(a.item.kind, b.item.kind)
  );
}

function evenly<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, at) => list[Math.floor((at * list.length) / most)]!);
}
