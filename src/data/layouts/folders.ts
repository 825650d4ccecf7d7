import type { Split } from '../data-set.js';
import { haveMasks, kindsIn, someOf } from './class-folders.js';
import { type KindFolder, readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { maskFoldersIn } from './mask-folder.js';
import type { PictureTree } from './picture-tree.js';

/** Own pictures, the split above the class. */
export const folders: Layout = {
  name: 'folders',
  title: 'own pictures of several classes',
  shape:
    '{train,test}/CLASS/{good,KIND}/NAME, masks in {train,test}/CLASS/masks, masks/KIND or ground_truth/CLASS/KIND',
  recognise: async (tree) => {
    const classes = [...(await classesOf(tree, 'test')), ...(await classesOf(tree, 'train'))];
    return classes.length === 0
      ? undefined
      : { strength: 1, why: `{train,test}/CLASS/KIND with the classes ${someOf([...new Set(classes)])}` };
  },
  read: async (tree, split) => {
    const found: KindFolder[] = [];
    for (const className of await classesOf(tree, split)) {
      const labels = await labelsOf(tree, className);
      const folder = (await tree.folder(`${split}/${className}`))!;
      for (const kind of await kindsIn(tree, folder))
        found.push({
          pictures: `${folder}/${kind}`,
          className,
          kind,
          isAnomalous: labels.get(kind) ?? true,
          masks: await masksOf(tree, split, className, kind),
        });
    }
    return readKindFolders(tree, found);
  },
};

/** Of both splits: where test has defects only, train tells what is normal. */
async function labelsOf(tree: PictureTree, className: string): Promise<Map<string, boolean>> {
  const hasMasks = new Map<string, boolean>();
  for (const split of ['test', 'train'] as const) {
    for (const kind of await kindsIn(tree, `${split}/${className}`)) {
      const masks = await masksOf(tree, split, className, kind);
      const has = await haveMasks(tree, `${split}/${className}/${kind}`, masks);
      hasMasks.set(kind, has || (hasMasks.get(kind) ?? false));
    }
  }
  const kinds = [...hasMasks].map(([name, has]) => ({ name, hasMasks: has }));
  return tree.labels.label(kinds, className);
}

/** In the class's own folder, in that of another split's class, or in ground_truth/CLASS/KIND. */
async function masksOf(tree: PictureTree, split: Split, className: string, kind: string): Promise<string[]> {
  const own = await tree.folder(`${split}/${className}`);
  const beside = own === undefined ? [] : await maskFoldersIn(tree, own, kind);
  const ofClass = await maskFoldersIn(tree, '', className);
  const ofKind = await Promise.all(ofClass.map((folder) => tree.folder(`${folder}/${kind}`)));
  return [...beside, ...ofKind.filter((folder) => folder !== undefined), ...ofClass];
}

async function classesOf(tree: PictureTree, split: Split): Promise<string[]> {
  const found: string[] = [];
  const top = await tree.folder(split);
  if (top === undefined) return found;
  const names = await tree.folders(top);
  // Where the kinds lie right below the split there are no classes, however deep their pictures lie.
  for (const name of names)
    if (tree.labels.isNormal(name) && (await tree.hasPicturesBelow(`${top}/${name}`))) return found;
  for (const name of names) {
    if (await tree.hasPictures(`${top}/${name}`)) continue;
    if ((await kindsIn(tree, `${top}/${name}`)).length > 0) found.push(name);
  }
  return found;
}
