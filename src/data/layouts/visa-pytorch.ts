import { classFolders, kindFolders, plainShape, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

/** VisA arranged like MVTec AD by its authors' script, named by the folder above. */
export const visaPytorch: Layout = {
  name: 'visa-pytorch',
  title: 'VisA arranged by its own script (visa_pytorch)',
  shape: '[visa_pytorch/]1cls/CLASS/{train,test}/{good,bad}/NAME, 1cls/CLASS/ground_truth/bad/NAME',
  recognise: async (tree) => {
    const shape = await shapeIn(tree);
    if (shape === undefined) return undefined;
    const classes = await classFolders(tree, shape);
    return { strength: 3, why: `${shape.base}/CLASS/{train,test} with the classes ${someOf(classes)}` };
  },
  read: async (tree, split) => {
    const shape = await shapeIn(tree);
    return shape === undefined
      ? { entries: [], warnings: [] }
      : readKindFolders(tree, await kindFolders(tree, split, { shape }));
  },
};

async function shapeIn(tree: PictureTree) {
  for (const base of ['1cls', 'visa_pytorch/1cls']) {
    const folder = await tree.folder(base);
    if (folder === undefined) continue;
    const shape = { ...plainShape, base: folder };
    if ((await classFolders(tree, shape)).length > 0) return shape;
  }
  return undefined;
}
