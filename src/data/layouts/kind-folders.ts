/** Reads pictures that lie in folders, one for each kind, and pairs them with masks beside them or in other folders. */

import { MaskNames, masksBeside } from '../../scan/mask-names.js';
import { visible } from '../../terminal/visible.js';
import { byCodeUnits } from '../data-set.js';
import type { Entry, EntryReading } from '../entry.js';
import { MaskFolder, maskFoldersIn } from './mask-folder.js';
import type { PictureTree } from './picture-tree.js';

export interface KindFolder {
  /** folder with the pictures, below the root; those in folders within it are of its kind too */
  pictures: string;
  className: string;
  kind: string;
  isAnomalous: boolean;
  /** folders that may hold the masks, below the root; the first with pictures in it counts */
  masks: readonly string[];
}

interface Pairing {
  entry: Entry;
  /** there are masks for the pictures of its folder */
  hasMasks: boolean;
  /** masks that fit, below the root */
  fitting: readonly string[];
  isUnclear: boolean;
}

export async function readKindFolders(
  tree: PictureTree,
  folders: readonly KindFolder[],
): Promise<EntryReading> {
  const opened = new Map<string, Promise<MaskFolder>>();
  const pairings = (await Promise.all(folders.map((folder) => pairingsOf(tree, folder, opened)))).flat();
  pairings.sort(
    (a, b) =>
      byCodeUnits(a.entry.className, b.entry.className) || byCodeUnits(a.entry.imagePath, b.entry.imagePath),
  );
  const warnings = assignMasks(pairings);
  return { entries: pairings.map(({ entry }) => entry), warnings };
}

async function pairingsOf(
  tree: PictureTree,
  { pictures, className, kind, isAnomalous, masks }: KindFolder,
  opened: Map<string, Promise<MaskFolder>>,
): Promise<Pairing[]> {
  const within = await maskFoldersIn(tree, pictures, kind);
  const path = await firstWithPictures(tree, [...within, ...masks]);
  if (path !== undefined && !opened.has(path)) opened.set(path, MaskFolder.open(tree, path));
  const folder = path === undefined ? undefined : await opened.get(path)!;
  const names = await tree.picturesBelow(pictures);
  const beside = masksBeside(names);
  const besideNames = new MaskNames([...beside.keys()]);
  return names
    .filter((name) => !beside.has(name))
    .map((name) => {
      const ofName = besideNames.find(name, false);
      const group = ofName
        ? { ...ofName, masks: ofName.masks.map((mask) => `${pictures}/${mask}`) }
        : folder?.find(name);
      return {
        entry: { imagePath: `${pictures}/${name}`, maskPaths: [], className, kind, isAnomalous },
        hasMasks: folder !== undefined || beside.size > 0,
        fitting: group?.masks ?? [],
        isUnclear: group?.isUnclear ?? false,
      };
    });
}

async function firstWithPictures(tree: PictureTree, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (await tree.hasPicturesBelow(folder)) return folder;
  return undefined;
}

/** Gives every picture its masks where they fit it and no other picture; says what stays without. */
function assignMasks(pairings: readonly Pairing[]): string[] {
  const claims = new Map<string, number>();
  // Of a normal and an anomalous picture of one name, the mask is the anomalous one's.
  for (const { fitting } of pairings.filter(({ entry }) => entry.isAnomalous))
    for (const mask of fitting) claims.set(mask, (claims.get(mask) ?? 0) + 1);

  const without: string[] = [];
  const unclear: string[] = [];
  for (const { entry, hasMasks, fitting, isUnclear } of pairings) {
    const wanted = entry.isAnomalous ? 1 : 0;
    const isFree = fitting.length > 0 && fitting.every((mask) => (claims.get(mask) ?? 0) === wanted);
    if (isFree && !isUnclear) entry.maskPaths = [...fitting];
    else if (!entry.isAnomalous) continue;
    else if (fitting.length > 0) unclear.push(entry.imagePath);
    else if (hasMasks) without.push(entry.imagePath);
  }
  return [
    ...listed(without, 'anomalous pictures have no mask of their name'),
    ...listed(unclear, 'anomalous pictures go without mask, because several masks or several pictures fit'),
  ];
}

function listed(paths: readonly string[], what: string): string[] {
  return paths.length === 0 ? [] : [`${paths.length} ${what}, for instance ${visible(paths[0]!)}`];
}
