import type { Split } from '../data-set.js';
import { kindsIn, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { isMaskFolder, isNormalKind, maskFolders } from './own-names.js';
import type { PictureTree } from './picture-tree.js';

/** Own pictures of one class, which is called like the root folder. */
export const oneClass: Layout = {
  name: 'one-class',
  title: 'own pictures of one class, or one class of a larger set',
  shape: '[{train,test}/]{good,KIND}/NAME, masks in masks, masks/KIND or ground_truth/KIND',
  recognise: async (tree) => {
    const kinds = [...(await kindsOf(tree, 'test')), ...(await kindsOf(tree, 'train'))].map(
      ({ kind }) => kind,
    );
    const hasMasks = (await tree.folders()).some(isMaskFolder);
    // Pictures in a folder `images` with masks beside it could be of any data set: that is for a person to say.
    const isClear = kinds.some(isNormalKind) || (hasMasks && kinds.length > 0 && !kinds.includes('images'));
    return isClear
      ? { strength: 1, why: `pictures in ${someOf([...new Set(kinds)])} without a folder for the class` }
      : undefined;
  },
  read: async (tree, split) => {
    const found = (await kindsOf(tree, split)).map(({ folder, kind }) => ({
      pictures: folder === '' ? kind : `${folder}/${kind}`,
      className: tree.name || 'object',
      kind,
      isAnomalous: !isNormalKind(kind),
      masks: [...maskFolders(folder, kind), ...(folder === '' ? [] : maskFolders('', kind))],
    }));
    return readKindFolders(tree, found);
  },
};

/** The kinds of a split; without folders for the splits all of them are the test split. */
async function kindsOf(tree: PictureTree, split: Split): Promise<{ folder: string; kind: string }[]> {
  const hasSplits = (await kindsIn(tree, 'test')).length > 0 || (await kindsIn(tree, 'train')).length > 0;
  if (!hasSplits && split === 'train') return [];
  const folder = hasSplits ? split : '';
  return (await kindsIn(tree, folder))
    .filter((name) => !isMaskFolder(name))
    .map((kind) => ({ folder, kind }));
}
