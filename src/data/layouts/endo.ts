import { kindsIn } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout, PublishedSet } from './layout.js';
import { nameOrCount } from './picture-and-mask-folders.js';
import type { PictureTree } from './picture-tree.js';

const published: PublishedSet = { name: 'endo', classes: ['colon'], normal: 0, anomalous: 200 };

export const endo: Layout = {
  name: 'endo',
  title: 'EndoTect, colon polyps',
  shape: '{good,KIND}/NAME beside masks/NAME, in a folder called endo',
  published,
  recognise: async (tree) => {
    const kinds = await kindsBesideMasks(tree);
    if (kinds.length === 0 || !(await tree.hasPictures('masks'))) return undefined;
    return nameOrCount(tree, published, ...kinds);
  },
  read: async (tree, split) => {
    const kinds = split === 'test' ? await kindsBesideMasks(tree) : [];
    return readKindFolders(
      tree,
      kinds.map((kind) => ({
        pictures: kind,
        className: 'colon',
        kind,
        isAnomalous: !tree.labels.isNormal(kind),
        masks: ['masks'],
      })),
    );
  },
};

async function kindsBesideMasks(tree: PictureTree): Promise<string[]> {
  return kindsIn(tree, '');
}
