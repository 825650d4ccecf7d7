/** The shape CLASS/{train,test}/KIND/ that several data sets share. */
import type { Split } from '../data-set.js';
import type { KindFolder } from './kind-folders.js';
import type { PictureTree } from './picture-tree.js';

/** Folders of the root that hold CLASS/SPLIT/KIND/pictures. */
export async function classFolders(tree: PictureTree): Promise<string[]> {
  const found: string[] = [];
  for (const name of await tree.folders()) {
    const kinds = [...(await kindsIn(tree, `${name}/test`)), ...(await kindsIn(tree, `${name}/train`))];
    if (kinds.length > 0) found.push(name);
  }
  return found;
}

/** Folders with pictures in a folder. */
export async function kindsIn(tree: PictureTree, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const kind of await tree.folders(folder))
    if (await tree.hasPictures(`${folder}/${kind}`)) found.push(kind);
  return found;
}

/** CLASS/SPLIT/KIND with masks in CLASS/ground_truth/KIND, or all in CLASS/ground_truth. */
export async function kindFolders(
  tree: PictureTree,
  split: Split,
  normalKind: string | undefined,
): Promise<KindFolder[]> {
  const folders: KindFolder[] = [];
  for (const className of await classFolders(tree)) {
    for (const kind of await kindsIn(tree, `${className}/${split}`)) {
      folders.push({
        pictures: `${className}/${split}/${kind}`,
        className,
        kind,
        isAnomalous: kind !== normalKind,
        masks: [`${className}/ground_truth/${kind}`, `${className}/ground_truth`],
      });
    }
  }
  return folders;
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
