/** Layouts of MVTec AD's shape: they part in the names of their classes. */
import { areAmong, classFolders, kindFolders, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout, PublishedSet } from './layout.js';

export function mvtecLike(title: string, published: PublishedSet): Layout {
  return {
    name: published.name,
    title,
    shape: 'CLASS/{train,test}/{good,KIND}/NAME, CLASS/ground_truth/KIND/NAME_mask',
    published,
    recognise: async (tree) => {
      const classes = await classFolders(tree);
      if (!areAmong(classes, published.classes)) return undefined;
      return { strength: 3, why: `CLASS/test/KIND, and ${someOf(classes)} are classes of ${title}` };
    },
    read: async (tree, split) => readKindFolders(tree, await kindFolders(tree, split)),
  };
}
