import type { Split } from '../data-set.js';
import { kindsIn, someOf } from './class-folders.js';
import { type KindFolder, readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { isMaskFolder, isNormalKind, maskFolders } from './own-names.js';
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
      const folder = `${split}/${className}`;
      for (const kind of (await kindsIn(tree, folder)).filter((name) => !isMaskFolder(name))) {
        found.push({
          pictures: `${folder}/${kind}`,
          className,
          kind,
          isAnomalous: !isNormalKind(kind),
          masks: [
            ...maskFolders(folder, kind),
            `ground_truth/${className}/${kind}`,
            `ground_truth/${className}`,
          ],
        });
      }
    }
    return readKindFolders(tree, found);
  },
};

async function classesOf(tree: PictureTree, split: Split): Promise<string[]> {
  const found: string[] = [];
  for (const name of await tree.folders(split)) {
    const kinds = await kindsIn(tree, `${split}/${name}`);
    if (kinds.some((kind) => !isMaskFolder(kind))) found.push(name);
  }
  return found;
}
