import { classFolders, kindsIn, someOf } from './class-folders.js';
import type { Layout } from './layout.js';
import { mvtecLike } from './mvtec-like.js';

const own = mvtecLike('MVTec AD', {
  name: 'mvtec',
  classes: [
    'bottle',
    'cable',
    'capsule',
    'carpet',
    'grid',
    'hazelnut',
    'leather',
    'metal_nut',
    'pill',
    'screw',
    'tile',
    'toothbrush',
    'transistor',
    'wood',
    'zipper',
  ],
  normal: 467,
  anomalous: 1258,
});

/** Also reads whatever other data set is arranged like it. */
export const mvtec: Layout = {
  ...own,
  title: 'MVTec AD, and own pictures arranged like it',
  recognise: async (tree) => {
    const certain = await own.recognise(tree);
    if (certain) return certain;
    const classes = await classFolders(tree);
    for (const name of classes) {
      for (const split of ['test', 'train']) {
        const kinds = await kindsIn(tree, `${name}/${split}`);
        const normal = kinds.find((kind) => tree.labels.isNormal(kind));
        if (normal !== undefined)
          return {
            strength: 1,
            why: `CLASS/{train,test}/{${normal},KIND} with the classes ${someOf(classes)}`,
          };
      }
    }
    return undefined;
  },
};
