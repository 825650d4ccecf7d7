/** The shape CLASS/{train,test}/KIND/ that several data sets share. */
import { isMaskFolder } from '../../scan/mask-names.js';
import type { Split } from '../data-set.js';
import type { LabelledKind } from '../folder-labels.js';
import type { KindFolder } from './kind-folders.js';
import { MaskFolder, maskFoldersIn } from './mask-folder.js';
import type { PictureTree } from './picture-tree.js';

/** Where a class keeps the pictures of a split, and further places for their masks. */
export interface ClassShape {
  /** folder of the classes, below the root */
  base: string;
  /** folders of the splits within that of the class */
  splits: Record<Split, string>;
  /** folders within that of the class that hold folders of masks, the class itself among them: '' */
  maskPlaces: readonly string[];
}

export const plainShape: ClassShape = {
  base: '',
  splits: { test: 'test', train: 'train' },
  maskPlaces: [''],
};

interface ClassFolder {
  name: string;
  /** below the root */
  folder: string;
}

/** Folders that hold CLASS/SPLIT/KIND/pictures. */
export async function classFolders(tree: PictureTree, shape = plainShape): Promise<string[]> {
  return (await classesOf(tree, shape)).map(({ name }) => name);
}

async function classesOf(tree: PictureTree, shape: ClassShape): Promise<ClassFolder[]> {
  const { base, splits } = shape;
  const found: ClassFolder[] = [];
  for (const name of await tree.folders(base)) {
    const folder = base === '' ? name : `${base}/${name}`;
    const kinds = [
      ...(await kindsIn(tree, `${folder}/${splits.test}`)),
      ...(await kindsIn(tree, `${folder}/${splits.train}`)),
    ];
    if (kinds.length > 0) found.push({ name, folder });
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
  for (const of of await classesOf(tree, shape)) {
    const kinds = await kindsOfClass(tree, of, shape);
    const labels = allAnomalous
      ? new Map(kinds.map(({ name }) => [name, true]))
      : tree.labels.label(kinds, of.name);
    const folder = await tree.folder(`${of.folder}/${shape.splits[split]}`);
    if (folder === undefined) continue;
    for (const kind of await kindsIn(tree, folder)) {
      folders.push({
        pictures: `${folder}/${kind}`,
        className: of.name,
        kind,
        isAnomalous: labels.get(kind) ?? true,
        masks: await masksOfClass(tree, of.folder, kind, shape),
      });
    }
  }
  return folders;
}

/** Of both splits: where test has defects only, train tells what is normal. */
async function kindsOfClass(
  tree: PictureTree,
  { folder }: ClassFolder,
  shape: ClassShape,
): Promise<LabelledKind[]> {
  const test = `${folder}/${shape.splits.test}`;
  const names = new Set([
    ...(await kindsIn(tree, test)),
    ...(await kindsIn(tree, `${folder}/${shape.splits.train}`)),
  ]);
  return Promise.all(
    [...names].map(async (name) => {
      const masks = await masksOfClass(tree, folder, name, shape);
      return { name, hasMasks: await haveMasks(tree, `${test}/${name}`, masks) };
    }),
  );
}

async function masksOfClass(
  tree: PictureTree,
  folder: string,
  kind: string,
  { maskPlaces }: ClassShape,
): Promise<string[]> {
  const found: string[] = [];
  for (const place of maskPlaces) {
    const path = await tree.folder(place === '' ? folder : `${folder}/${place}`);
    if (path !== undefined) found.push(...(await maskFoldersIn(tree, path, kind)));
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
