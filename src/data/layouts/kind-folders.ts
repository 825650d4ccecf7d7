/** Reads pictures that lie in folders, one for each kind, and pairs them with masks in other folders. */

import { visible } from '../../terminal/visible.js';
import { byCodeUnits } from '../data-set.js';
import type { Entry, Reading } from '../entry.js';
import { MaskNames, maskSuffixes } from './mask-names.js';
import type { PictureTree } from './picture-tree.js';

export interface KindFolder {
  /** folder with the pictures, below the root */
  pictures: string;
  className: string;
  kind: string;
  isAnomalous: boolean;
  /** folders that may hold the masks, below the root; the first with pictures in it counts */
  masks: readonly string[];
}

interface Pairing {
  entry: Entry;
  maskFolder: string | undefined;
  /** names in the mask folder that fit */
  fitting: readonly string[];
}

export async function readKindFolders(
  tree: PictureTree,
  folders: readonly KindFolder[],
  suffixes: readonly string[] = maskSuffixes,
): Promise<Reading> {
  const maskNames = new Map<string, MaskNames>();
  const pairings: Pairing[] = [];
  for (const { pictures, className, kind, isAnomalous, masks } of folders) {
    const maskFolder = await firstWithPictures(tree, masks);
    if (maskFolder !== undefined && !maskNames.has(maskFolder))
      maskNames.set(maskFolder, new MaskNames(await tree.pictures(maskFolder), suffixes));
    for (const name of await tree.pictures(pictures)) {
      const fitting = maskFolder === undefined ? [] : maskNames.get(maskFolder)!.find(name);
      const entry = { imagePath: `${pictures}/${name}`, maskPath: null, className, kind, isAnomalous };
      pairings.push({ entry, maskFolder, fitting });
    }
  }
  pairings.sort(
    (a, b) =>
      byCodeUnits(a.entry.className, b.entry.className) || byCodeUnits(a.entry.imagePath, b.entry.imagePath),
  );
  const warnings = assignMasks(pairings);
  warnings.push(...(await unusedMasks(tree, [...maskNames.keys()], pairings)));
  return { entries: pairings.map(({ entry }) => entry), warnings };
}

async function firstWithPictures(tree: PictureTree, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (await tree.hasPictures(folder)) return folder;
  return undefined;
}

/** Gives every picture its mask where exactly one fits it and no other picture; says what stays without. */
function assignMasks(pairings: readonly Pairing[]): string[] {
  const claims = new Map<string, number>();
  const keyOf = ({ maskFolder, fitting }: Pairing) => `${maskFolder}/${fitting[0]}`;
  // Of a normal and an anomalous picture of one name, the mask is the anomalous one's.
  for (const pairing of pairings.filter(({ entry, fitting }) => entry.isAnomalous && fitting.length > 0))
    claims.set(keyOf(pairing), (claims.get(keyOf(pairing)) ?? 0) + 1);

  const without: string[] = [];
  const unclear: string[] = [];
  for (const pairing of pairings) {
    const { entry, maskFolder, fitting } = pairing;
    const claimed = fitting.length === 0 ? 0 : (claims.get(keyOf(pairing)) ?? 0);
    const isFree = entry.isAnomalous ? claimed === 1 : claimed === 0;
    if (fitting.length === 1 && isFree) entry.maskPath = keyOf(pairing);
    else if (!entry.isAnomalous) continue;
    else if (fitting.length > 0) unclear.push(entry.imagePath);
    else if (maskFolder !== undefined) without.push(entry.imagePath);
  }
  return [
    ...listed(without, 'anomalous pictures have no mask of their name'),
    ...listed(unclear, 'anomalous pictures go without mask, because several masks or several pictures fit'),
  ];
}

async function unusedMasks(
  tree: PictureTree,
  folders: readonly string[],
  pairings: readonly Pairing[],
): Promise<string[]> {
  const fitting = new Set(
    pairings.flatMap((pairing) => pairing.fitting.map((name) => `${pairing.maskFolder}/${name}`)),
  );
  const unused: string[] = [];
  for (const folder of folders)
    for (const name of await tree.pictures(folder))
      if (!fitting.has(`${folder}/${name}`)) unused.push(`${folder}/${name}`);
  return listed(unused, 'masks belong to no picture by their name');
}

function listed(paths: readonly string[], what: string): string[] {
  return paths.length === 0 ? [] : [`${paths.length} ${what}, for instance ${visible(paths[0]!)}`];
}
