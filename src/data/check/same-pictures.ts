/** Finds pictures that are there several times, by the bytes of their files. */
import type { DataItem, Split } from '../data-set.js';
import { type Finding, finding } from './finding.js';

export interface HashedItem {
  item: DataItem;
  split: Split;
  /** undefined: the picture is damaged, and equal to nothing */
  hash: string | undefined;
}

export function samePictures(hashed: readonly HashedItem[]): Finding[] {
  const byHash = new Map<string, HashedItem[]>();
  for (const entry of hashed) {
    if (entry.hash === undefined) continue;
    const known = byHash.get(entry.hash);
    if (known) known.push(entry);
    else byHash.set(entry.hash, [entry]);
  }
  return [...byHash.values()].filter((group) => group.length > 1).map(describe);
}

function describe(group: readonly HashedItem[]): Finding {
  const normal = group.filter(({ item }) => !item.isAnomalous).length;
  const isBoth = normal > 0 && normal < group.length;
  const paths = group.map(({ item }) => item.imagePath);
  const details: string[] = [];
  if (new Set(paths).size === 1) details.push('listed several times');
  if (new Set(group.map(({ split }) => split)).size > 1) details.push('in train and test');
  return finding(isBoth ? 'same-picture-both-labels' : 'same-picture', paths, {
    className: group[0]!.item.className,
    ...(details.length === 0 ? {} : { detail: details.join(', ') }),
  });
}
