import { classFolders, kindFolders, kindsIn } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';

export const isic: Layout = {
  name: 'isic',
  title: 'ISIC, skin lesions (anomalous pictures only)',
  shape: 'skin/test/KIND/NAME, skin/ground_truth/NAME',
  published: { name: 'isic', classes: ['skin'], normal: 0, anomalous: 379 },
  recognise: async (tree) => {
    const classes = await classFolders(tree);
    if (classes.join() !== 'skin' || !(await tree.hasPictures('skin/ground_truth'))) return undefined;
    // The set has none; pictures of skin or leather that are laid out alike may have.
    for (const split of ['test', 'train'])
      if ((await kindsIn(tree, `skin/${split}`)).some((kind) => tree.labels.isNormal(kind))) return undefined;
    return { strength: 3, why: 'skin/test/KIND beside a flat skin/ground_truth' };
  },
  read: async (tree, split) => readKindFolders(tree, await kindFolders(tree, split, { allAnomalous: true })),
};
