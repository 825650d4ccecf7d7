/** Layouts of one folder of anomalous pictures beside one folder of masks. */
import type { KindFolder } from './kind-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout, PublishedSet, Recognised } from './layout.js';
import type { PictureTree } from './picture-tree.js';

/** images/ beside masks/, which several data sets have: the name of the root or the number of pictures tells. */
export function imagesAndMasks(title: string, published: PublishedSet, knownAs = published.name): Layout {
  const [className] = published.classes;
  return {
    name: published.name,
    title: `${title} (anomalous pictures only)`,
    shape: 'images/NAME, masks/NAME',
    published,
    hasNoKinds: true,
    recognise: async (tree) => {
      const others = (await tree.folders()).filter((name) => name !== 'images' && name !== 'masks');
      if (!(await tree.hasPictures('images')) || !(await tree.hasPictures('masks'))) return undefined;
      if (others.includes('good')) return undefined;
      return (
        (await nameOrCount(tree, published, patternOf(knownAs), 'images')) ?? {
          strength: 1,
          why: 'images beside masks',
        }
      );
    },
    read: (tree, split) =>
      readKindFolders(tree, split === 'test' ? [anomalousFolder(className!, 'images', 'masks')] : []),
  };
}

export function anomalousFolder(className: string, pictures: string, masks: string): KindFolder {
  return { pictures, className, kind: 'anomalous', isAnomalous: true, masks: [masks] };
}

/** The name of the root is like that of the set, or it has just as many pictures. */
export async function nameOrCount(
  tree: PictureTree,
  { name, normal, anomalous }: PublishedSet,
  pattern: RegExp,
  ...folders: string[]
): Promise<Recognised | undefined> {
  if (pattern.test(tree.name))
    return { strength: 2, why: `${folders.join(', ')} beside masks, in a folder called ${tree.name}` };
  let count = 0;
  for (const folder of folders) count += (await tree.pictures(folder)).length;
  return count === normal + anomalous
    ? { strength: 2, why: `${folders.join(', ')} beside masks, with the ${count} pictures of ${name}` }
    : undefined;
}

/** A name with any signs between its letters, anywhere. */
function patternOf(name: string): RegExp {
  return new RegExp([...name.replace(/[^a-z0-9]/g, '')].join('[^a-z0-9]*'), 'i');
}
