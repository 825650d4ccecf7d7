import type { Split } from '../data-set.js';
import { someOf } from './class-folders.js';
import { type KindFolder, readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

/** Its colour pictures; the depth pictures (xyz) are not looked at. */
export const mvtec3d: Layout = {
  name: 'mvtec-3d',
  title: 'MVTec 3D-AD (its colour pictures)',
  shape: 'CLASS/{train,test}/{good,KIND}/rgb/NAME, CLASS/{train,test}/KIND/gt/NAME',
  recognise: async (tree) => {
    const folders = [...(await foldersOf(tree, 'test')), ...(await foldersOf(tree, 'train'))];
    const classes = [...new Set(folders.map(({ className }) => className))];
    return classes.length === 0
      ? undefined
      : { strength: 3, why: `CLASS/{train,test}/KIND/rgb with the classes ${someOf(classes)}` };
  },
  read: async (tree, split) => readKindFolders(tree, await foldersOf(tree, split)),
  // Depth belongs to the set, and no picture of it is lost.
  reasonFor: (path) => (/(^|\/)xyz\//.test(path) ? 'no-picture' : undefined),
};

async function foldersOf(tree: PictureTree, split: Split): Promise<KindFolder[]> {
  const found: KindFolder[] = [];
  for (const className of await tree.folders()) {
    for (const kind of await tree.folders(`${className}/${split}`)) {
      const folder = `${className}/${split}/${kind}`;
      if (!(await tree.hasPictures(`${folder}/rgb`))) continue;
      found.push({
        pictures: `${folder}/rgb`,
        className,
        kind,
        isAnomalous: !tree.labels.isNormal(kind),
        masks: [`${folder}/gt`],
      });
    }
  }
  return found;
}
