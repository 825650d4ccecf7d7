import type { Entry } from '../entry.js';
import type { Layout } from './layout.js';
import { MaskNames } from './mask-names.js';
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
  recognise: async (tree) => {
    for (const name of await tree.folders()) {
      for (const split of Object.values(k_splitFolders)) {
        if (
          (await tree.hasPictures(`${name}/${split}`)) &&
          (await tree.hasPictures(`${name}/${split}/Label`))
        )
          return { strength: 3, why: `${name}/${split} holds pictures and a folder Label` };
      }
    }
    return undefined;
  },
  read: async (tree, split) => {
    const entries: Entry[] = [];
    const warnings: string[] = [];
    for (const className of await tree.folders()) {
      const folder = `${className}/${k_splitFolders[split]}`;
      const read = await readClass(tree, className, folder);
      entries.push(...read);
      const used = new Set(read.map(({ maskPath }) => maskPath));
      const unused = (await tree.pictures(`${folder}/Label`)).filter(
        (name) => !used.has(`${folder}/Label/${name}`),
      );
      if (unused.length > 0)
        warnings.push(
          `${folder}/Label: ${unused.length} labels belong to no picture, for instance ${unused[0]}`,
        );
    }
    return { entries, warnings };
  },
};

async function readClass(tree: PictureTree, className: string, folder: string): Promise<Entry[]> {
  const labels = new MaskNames(await tree.pictures(`${folder}/Label`));
  return (await tree.pictures(folder)).map((name) => {
    const [label] = labels.find(name);
    return {
      imagePath: `${folder}/${name}`,
      maskPath: label === undefined ? null : `${folder}/Label/${label}`,
      className,
      kind: label === undefined ? 'good' : 'defect',
      isAnomalous: label !== undefined,
    };
  });
}
