import { MaskNames } from '../../scan/mask-names.js';
import type { Entry } from '../entry.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

const k_splitFolders = { test: 'Test', train: 'Train' } as const;

/** Normal and anomalous pictures lie together: those with a label are anomalous. */
export const dagm: Layout = {
  name: 'dagm',
  title: 'DAGM 2007',
  shape: 'CLASS/{Train,Test}/NNNN.PNG, CLASS/{Train,Test}/Label/NNNN_label.PNG',
  published: {
    name: 'dagm',
    classes: Array.from({ length: 10 }, (_, index) => `Class${index + 1}`),
    normal: 6996,
    anomalous: 1054,
  },
  hasNoKinds: true,
  recognise: async (tree) => {
    for (const name of await tree.folders()) {
      for (const split of Object.values(k_splitFolders)) {
        const folder = await tree.folder(`${name}/${split}`);
        const labels = await tree.folder(`${name}/${split}/Label`);
        if (folder && labels && (await tree.hasPictures(folder)) && (await tree.hasPictures(labels)))
          return { strength: 3, why: `${folder} holds pictures and a folder Label` };
      }
    }
    return undefined;
  },
  read: async (tree, split) => {
    const classes: Entry[][] = [];
    for (const className of await tree.folders()) {
      const folder = await tree.folder(`${className}/${k_splitFolders[split]}`);
      if (folder !== undefined) classes.push(await readClass(tree, className, folder));
    }
    return { entries: classes.flat(), warnings: [] };
  },
};

async function readClass(tree: PictureTree, className: string, folder: string): Promise<Entry[]> {
  const place = (await tree.folder(`${folder}/Label`)) ?? `${folder}/Label`;
  const labels = new MaskNames(await tree.pictures(place));
  return (await tree.pictures(folder)).map((name) => {
    const found = labels.find(name)?.masks ?? [];
    const isAnomalous = found.length > 0;
    return {
      imagePath: `${folder}/${name}`,
      maskPaths: found.map((label) => `${place}/${label}`),
      className,
      kind: isAnomalous ? 'defect' : 'good',
      isAnomalous,
    };
  });
}
