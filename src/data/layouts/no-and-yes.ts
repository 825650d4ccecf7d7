/** Layouts of FOLDER/{no,yes}: pictures of the class `brain` without masks and without a split. */
import { readKindFolders } from './kind-folders.js';
import type { Layout, PublishedSet } from './layout.js';

export function noAndYes(title: string, folder: string, published: PublishedSet): Layout {
  return {
    name: published.name,
    title: `${title} (no masks)`,
    shape: `${folder}/{no,yes}/NAME`,
    published,
    recognise: async (tree) =>
      (await tree.hasPictures(`${folder}/no`)) && (await tree.hasPictures(`${folder}/yes`))
        ? { strength: 3, why: `${folder}/no beside ${folder}/yes` }
        : undefined,
    read: (tree, split) =>
      readKindFolders(
        tree,
        (split === 'test' ? ['no', 'yes'] : []).map((kind) => ({
          pictures: `${folder}/${kind}`,
          className: 'brain',
          kind,
          isAnomalous: kind === 'yes',
          masks: [],
        })),
      ),
  };
}
