import { haveMasks, kindsIn } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout, PublishedSet } from './layout.js';
import { nameOrCount } from './picture-and-mask-folders.js';

const published: PublishedSet = { name: 'endo', classes: ['colon'], normal: 0, anomalous: 200 };

/** As a word: a vendor's endoscopes are others. */
const k_name = /(^|[^a-z])endo(tect)?([^a-z]|$)/i;
/** Folders of splits: the kinds lie below them. */
const k_splits = new Set(['train', 'test', 'val', 'valid', 'validation']);

export const endo: Layout = {
  name: 'endo',
  title: 'EndoTect, colon polyps',
  shape: '{good,KIND}/NAME beside masks/NAME, in a folder called endo',
  published,
  recognise: async (tree) => {
    const kinds = await kindsIn(tree, '');
    if (kinds.length === 0 || !(await tree.hasPictures('masks'))) return undefined;
    if (kinds.some((kind) => k_splits.has(kind.toLowerCase()))) return undefined;
    // A number is no name: it only tells which of the sets it is that have images beside masks.
    if (!k_name.test(tree.name) && kinds.join() !== 'images') return undefined;
    return nameOrCount(tree, published, k_name, ...kinds);
  },
  read: async (tree, split) => {
    const kinds = split === 'test' ? await kindsIn(tree, '') : [];
    const masks = ['masks'];
    const named = await Promise.all(
      kinds.map(async (name) => ({ name, hasMasks: await haveMasks(tree, name, masks) })),
    );
    const labels = tree.labels.label(named, tree.root);
    return readKindFolders(
      tree,
      kinds.map((kind) => ({
        pictures: kind,
        className: 'colon',
        kind,
        isAnomalous: labels.get(kind)!,
        masks,
      })),
    );
  },
};
