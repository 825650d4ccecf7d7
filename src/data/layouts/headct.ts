import { isMaskFolder } from '../../scan/mask-names.js';
import { classFolders, kindFolders } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';

export const headct: Layout = {
  name: 'headct',
  title: 'HeadCT, brain haemorrhages (no masks)',
  shape: 'brain/test/{good,KIND}/NAME',
  published: { name: 'headct', classes: ['brain'], normal: 100, anomalous: 100 },
  recognise: async (tree) => {
    const classes = await classFolders(tree);
    if (classes.join() !== 'brain' || (await tree.folders('brain')).some(isMaskFolder)) return undefined;
    return { strength: 3, why: 'brain/test/KIND without ground_truth' };
  },
  read: async (tree, split) => readKindFolders(tree, await kindFolders(tree, split)),
};
