/** The shape CLASS/{train,test}/KIND/ that several data sets share. */
import { isMaskFolder } from '../../scan/mask-names.js';
import type { Split } from '../data-set.js';
import type { LabelledKind } from '../folder-labels.js';
import type { KindFolder } from './kind-folders.js';
import { MaskFolder, maskFoldersIn } from './mask-folder.js';
import type { PictureTree } from './picture-tree.js';

/** Where a class keeps the pictures of a split, and further places for their masks. */
export interface ClassShape {
  /** folders of the splits within that of the class */
  splits: Record<Split, string>;
  /** folders within that of the class that hold folders of masks, the class itself among them: '' */
  maskPlaces: readonly string[];
}

export const plainShape: ClassShape = { splits: { test: 'test', train: 'train' }, maskPlaces: [''] };

/** Folders of the root that hold CLASS/SPLIT/KIND/pictures. */
export async function classFolders(tree: PictureTree, shape = plainShape): Promise<string[]> {
  const found: string[] = [];
  for (const name of await tree.folders()) {
    const kinds = [
      ...(await kindsIn(tree, `${name}/${shape.splits.test}`)),
      ...(await kindsIn(tree, `${name}/${shape.splits.train}`)),
    ];
    if (kinds.length > 0) found.push(name);
  }
  return found;
}

/** Folders with pictures, at whatever depth, in a folder; those of masks are none. */
export async function kindsIn(tree: PictureTree, folder: string): Promise<string[]> {
  const found: string[] = [];
  const path = await tree.folder(folder);
  if (path === undefined) return found;
  for (const kind of await tree.folders(path))
    if (!isMaskFolder(kind) && (await tree.hasPicturesBelow(path === '' ? kind : `${path}/${kind}`)))
      found.push(kind);
  return found;
}

/** CLASS/SPLIT/KIND with masks in CLASS/ground_truth/KIND, or all in CLASS/ground_truth. */
export async function kindFolders(
  tree: PictureTree,
  split: Split,
  { shape = plainShape, allAnomalous = false }: { shape?: ClassShape; allAnomalous?: boolean } = {},
): Promise<KindFolder[]> {
  const folders: KindFolder[] = [];
  for (const className of await classFolders(tree, shape)) {
    const kinds = await kindsOfClass(tree, className, shape);
    const labels = allAnomalous
      ? new Map(kinds.map(({ name }) => [name, true]))
      : tree.labels.label(kinds, className);
    const folder = await tree.folder(`${className}/${shape.splits[split]}`);
    if (folder === undefined) continue;
    for (const kind of await kindsIn(tree, folder)) {
      folders.push({
        pictures: `${folder}/${kind}`,
        className,
        kind,
        isAnomalous: labels.get(kind) ?? true,
        masks: await masksOfClass(tree, className, kind, shape),
      });
    }
  }
  return folders;
}

/** Of both splits: where test has defects only, train tells what is normal. */
async function kindsOfClass(
  tree: PictureTree,
  className: string,
  shape: ClassShape,
): Promise<LabelledKind[]> {
  const names = new Set([
    ...(await kindsIn(tree, `${className}/${shape.splits.test}`)),
    ...(await kindsIn(tree, `${className}/${shape.splits.train}`)),
  ]);
  return Promise.all(
    [...names].map(async (name) => ({
      name,
      hasMasks: await haveMasks(
        tree,
        `${className}/${shape.splits.test}/${name}`,
        await masksOfClass(tree, className, name, shape),
      ),
    })),
  );
}

async function masksOfClass(
  tree: PictureTree,
  className: string,
  kind: string,
  { maskPlaces }: ClassShape,
): Promise<string[]> {
  const found: string[] = [];
  for (const place of maskPlaces) {
    const folder = await tree.folder(place === '' ? className : `${className}/${place}`);
    if (folder !== undefined) found.push(...(await maskFoldersIn(tree, folder, kind)));
  }
  return found;
}

/** Whether a folder's pictures have masks in the first of the places that has any. */
export async function haveMasks(
  tree: PictureTree,
  pictures: string,
  places: readonly string[],
): Promise<boolean> {
  for (const place of places) {
    if (!(await tree.hasPicturesBelow(place))) continue;
    const masks = await MaskFolder.open(tree, place);
    const folder = (await tree.folder(pictures)) ?? pictures;
    return (await tree.picturesBelow(folder)).some((name) => masks.find(name) !== undefined);
  }
  return false;
}

export function areAmong(names: readonly string[], known: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => known.includes(name));
}

/** `bottle, cable and 13 more` */
export function someOf(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
