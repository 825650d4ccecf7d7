import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { anomalousFolder } from './picture-and-mask-folders.js';
import type { PictureTree } from './picture-tree.js';

/** CVC-ClinicDB as it is downloaded; the same pictures may lie there as PNG and as TIF. */
export const cvcOriginal: Layout = {
  name: 'cvc-original',
  title: 'CVC-ClinicDB as downloaded (anomalous pictures only)',
  shape: '[PNG/ or TIF/]Original/NAME, Ground Truth/NAME',
  recognise: async (tree) => {
    const found = await partOf(tree);
    return found && { strength: 3, why: `${found.pictures} beside ${found.masks}` };
  },
  read: async (tree, split) => {
    const found = split === 'test' ? await partOf(tree) : undefined;
    return readKindFolders(tree, found ? [anomalousFolder('colon', found.pictures, found.masks)] : []);
  },
};

async function partOf(tree: PictureTree): Promise<{ pictures: string; masks: string } | undefined> {
  for (const base of ['', 'PNG/', 'TIF/', 'CVC-ClinicDB/']) {
    const pictures = await tree.folder(`${base}Original`);
    const masks = (await tree.folder(`${base}Ground Truth`)) ?? (await tree.folder(`${base}GroundTruth`));
    if (pictures && masks && (await tree.hasPictures(pictures))) return { pictures, masks };
  }
  return undefined;
}
