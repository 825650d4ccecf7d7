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
    const classes: string[] = [];
    for (const className of await tree.folders())
      if (
        (await kindsOf(tree, className, 'test')).length + (await kindsOf(tree, className, 'train')).length >
        0
      )
        classes.push(className);
    return classes.length === 0
      ? undefined
      : { strength: 3, why: `CLASS/{train,test}/KIND/rgb with the classes ${someOf(classes)}` };
  },
  read: async (tree, split) => {
    const found: KindFolder[] = [];
    for (const className of await tree.folders()) {
      const kinds = await kindsOf(tree, className, split);
      const others = await kindsOf(tree, className, split === 'test' ? 'train' : 'test');
      // Its good pictures have masks too, empty ones, so that only names tell.
      const names = [...new Set([...kinds, ...others])].map((name) => ({ name }));
      const labels = tree.labels.label(names, className);
      for (const kind of kinds) {
        const folder = `${className}/${split}/${kind}`;
        const isAnomalous = labels.get(kind)!;
        found.push({ pictures: `${folder}/rgb`, className, kind, isAnomalous, masks: [`${folder}/gt`] });
      }
    }
    return readKindFolders(tree, found);
  },
  // Depth belongs to the set, and no picture of it is lost.
  reasonFor: (path) => (/(^|\/)xyz\//.test(path) ? 'no-picture' : undefined),
};

async function kindsOf(tree: PictureTree, className: string, split: Split): Promise<string[]> {
  const found: string[] = [];
  for (const kind of await tree.folders(`${className}/${split}`))
    if (await tree.hasPictures(`${className}/${split}/${kind}/rgb`)) found.push(kind);
  return found;
}
