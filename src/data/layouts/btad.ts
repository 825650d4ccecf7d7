import { areAmong, classFolders, kindFolders, kindsIn, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';

const published = { name: 'btad', classes: ['01', '02', '03'], normal: 451, anomalous: 290 };

export const btad: Layout = {
  name: 'btad',
  title: 'BTAD',
  shape: 'CLASS/{train,test}/{ok,ko}/NAME, CLASS/ground_truth/ko/NAME',
  published,
  recognise: async (tree) => {
    const classes = await classFolders(tree);
    for (const name of classes) {
      for (const split of ['test', 'train']) {
        const kinds = await kindsIn(tree, `${name}/${split}`);
        if (kinds.includes('ok') && !kinds.includes('good') && areAmong(classes, published.classes))
          return { strength: 3, why: `CLASS/test/{ok,ko}, and ${someOf(classes)} are classes of BTAD` };
      }
    }
    return undefined;
  },
  read: async (tree, split) => readKindFolders(tree, await kindFolders(tree, split)),
};
