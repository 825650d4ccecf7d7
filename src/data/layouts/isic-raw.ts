import type { Split } from '../data-set.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { anomalousFolder } from './picture-and-mask-folders.js';
import type { PictureTree } from './picture-tree.js';

const k_parts = { test: 'Test', train: 'Training' } as const;

/** ISIC 2016 as it is downloaded: the folders of pictures and masks of one part beside each other. */
export const isicRaw: Layout = {
  name: 'isic-raw',
  title: 'ISIC 2016, part 1, as downloaded (anomalous pictures only)',
  shape: 'ISBI2016_ISIC_Part1_Test_Data/NAME, ISBI2016_ISIC_Part1_Test_GroundTruth/NAME_Segmentation',
  recognise: async (tree) => {
    const found = (await partOf(tree, 'test')) ?? (await partOf(tree, 'train'));
    return found && { strength: 3, why: `${found.pictures} beside ${found.masks}` };
  },
  read: async (tree, split) => {
    const found = await partOf(tree, split);
    return readKindFolders(tree, found ? [anomalousFolder('skin', found.pictures, found.masks)] : []);
  },
};

async function partOf(
  tree: PictureTree,
  split: Split,
): Promise<{ pictures: string; masks: string } | undefined> {
  const part = k_parts[split];
  for (const pictures of await tree.folders()) {
    if (!new RegExp(`isic.*_${part}_(Data|Input)$`, 'i').test(pictures)) continue;
    const masks = await tree.folder(pictures.replace(/_(Data|Input)$/i, '_GroundTruth'));
    if (masks !== undefined && (await tree.hasPictures(pictures))) return { pictures, masks };
  }
  return undefined;
}
