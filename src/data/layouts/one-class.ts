import { isMaskFolder } from '../../scan/mask-names.js';
import type { Split } from '../data-set.js';
import { haveMasks, kindsIn, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { maskFoldersIn } from './mask-folder.js';
import type { PictureTree } from './picture-tree.js';

/** Own pictures of one class, which is called like the root folder. */
export const oneClass: Layout = {
  name: 'one-class',
  title: 'own pictures of one class, or one class of a larger set',
  shape:
    '[{train,test}/]{good,KIND}/NAME, masks beside them as NAME_mask, in masks, masks/KIND or ground_truth/KIND',
  recognise: async (tree) => {
    const kinds = [...(await kindsOf(tree, 'test')), ...(await kindsOf(tree, 'train'))].map(
      ({ kind }) => kind,
    );
    const hasMasks = (await tree.folders()).some(isMaskFolder);
    // Pictures in a folder `images` with masks beside it could be of any data set: that is for a person to say.
    const isClear =
      kinds.some((kind) => tree.labels.isKnown(kind)) ||
      (hasMasks && kinds.length > 0 && !kinds.includes('images')) ||
      // Kinds of which nobody knows what they are: reading them asks for it.
      (kinds.length > 1 && !kinds.some((kind) => k_noKinds.has(kind.toLowerCase())));
    return isClear
      ? { strength: 1, why: `pictures in ${someOf([...new Set(kinds)])} without a folder for the class` }
      : undefined;
  },
  read: async (tree, split) => {
    const own = await kindsOf(tree, split);
    const others = await kindsOf(tree, split === 'test' ? 'train' : 'test');
    const labels = await labelsOf(tree, [...own, ...others]);
    const found = await Promise.all(
      own.map(async ({ folder, kind }) => ({
        pictures: pathOf(folder, kind),
        className: tree.name || 'object',
        kind,
        isAnomalous: labels.get(kind) ?? true,
        masks: await masksOf(tree, folder, kind),
      })),
    );
    return readKindFolders(tree, found);
  },
};

/** What folders are called that are no kinds: parts of data sets in other layouts. */
const k_noKinds = new Set(
  'images image imgs img pictures photos train test val validation original pred labels'.split(' '),
);

interface Kind {
  /** of its split, or '' */
  folder: string;
  kind: string;
}

async function labelsOf(tree: PictureTree, kinds: readonly Kind[]): Promise<Map<string, boolean>> {
  const hasMasks = new Map<string, boolean>();
  for (const { folder, kind } of kinds) {
    const has = await haveMasks(tree, pathOf(folder, kind), await masksOf(tree, folder, kind));
    hasMasks.set(kind, has || (hasMasks.get(kind) ?? false));
  }
  return tree.labels.label(
    [...hasMasks].map(([name, has]) => ({ name, hasMasks: has })),
    tree.root,
  );
}

async function masksOf(tree: PictureTree, folder: string, kind: string): Promise<string[]> {
  const beside = await maskFoldersIn(tree, folder, kind);
  return folder === '' ? beside : [...beside, ...(await maskFoldersIn(tree, '', kind))];
}

/** The kinds of a split; without folders for the splits all of them are the test split. */
async function kindsOf(tree: PictureTree, split: Split): Promise<Kind[]> {
  const hasSplits =
    (await shallowKinds(tree, 'test')).length > 0 || (await shallowKinds(tree, 'train')).length > 0;
  if (!hasSplits && split === 'train') return [];
  const folder = hasSplits ? await tree.folder(split) : '';
  if (folder === undefined) return [];
  return (await shallowKinds(tree, folder)).map((kind) => ({ folder, kind }));
}

/** Folders with pictures right in them, or below them where their name is one that kinds have. */
async function shallowKinds(tree: PictureTree, folder: string): Promise<string[]> {
  const path = await tree.folder(folder);
  if (path === undefined) return [];
  const kinds = await kindsIn(tree, path);
  const direct = await Promise.all(kinds.map((kind) => tree.hasPictures(pathOf(path, kind))));
  const hasNormal = kinds.some((kind) => tree.labels.isNormal(kind));
  return kinds.filter((kind, at) => direct[at] || tree.labels.isKnown(kind) || (hasNormal && folder !== ''));
}

function pathOf(folder: string, kind: string): string {
  return folder === '' ? kind : `${folder}/${kind}`;
}
