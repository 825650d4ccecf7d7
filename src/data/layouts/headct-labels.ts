import { join } from 'node:path';
import { CraneError } from '../../errors.js';
import { stemOf } from '../../scan/mask-names.js';
import { visible } from '../../terminal/visible.js';
import type { Entry } from '../entry.js';
import { readTable } from '../table.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

const k_table = 'labels.csv';

/** HeadCT as it is downloaded: a table of labels beside a folder of numbered pictures. */
export const headctLabels: Layout = {
  name: 'headct-labels',
  title: 'HeadCT as downloaded, with labels.csv (no masks)',
  shape: 'labels.csv with the columns id, hemorrhage; head_ct/[head_ct/]NNN.png',
  recognise: async (tree) => {
    if (!(await tree.hasFile(k_table))) return undefined;
    const folder = await folderOf(tree);
    if (folder === undefined) return undefined;
    return { strength: 3, why: `${k_table} beside ${folder}` };
  },
  read: async (tree, split) => {
    if (split === 'train') return { entries: [], warnings: [] };
    return { entries: await readLabels(tree), warnings: [], consulted: [k_table] };
  },
};

async function folderOf(tree: PictureTree): Promise<string | undefined> {
  for (const wanted of ['head_ct/head_ct', 'head_ct']) {
    const folder = await tree.folder(wanted);
    if (folder !== undefined && (await tree.hasPictures(folder))) return folder;
  }
  return undefined;
}

async function readLabels(tree: PictureTree): Promise<Entry[]> {
  const { columns, rows } = await readTable(join(tree.root, k_table));
  const [id, label] = [columns.indexOf('id'), columns.findIndex((name) => /h(a)?emorrhage/i.test(name))];
  if (id < 0 || label < 0)
    throw new CraneError(
      'E_DATA_META',
      `${k_table}: expected the columns id and hemorrhage, found ${columns.join(', ')}`,
    );
  const labels = new Map(
    rows.map((cells, index) => {
      const [number = '', value = ''] = [cells[id], cells[label]];
      // What is no number would be one and the same for every row.
      if (!/^\d+$/.test(number) || !/^[01](\.0*)?$/.test(value))
        throw new CraneError(
          'E_DATA_META',
          `${k_table}: row ${index + 2}: expected a whole number and 0 or 1, found "${visible(number)}" and "${visible(value)}"`,
        );
      return [Number(number), value.startsWith('1')];
    }),
  );
  const folder = (await folderOf(tree)) ?? '';
  return (await tree.pictures(folder)).flatMap((name): Entry[] => {
    const isAnomalous = labels.get(Number(stemOf(name)));
    if (isAnomalous === undefined) return [];
    const kind = isAnomalous ? 'hemorrhage' : 'good';
    return [{ imagePath: `${folder}/${name}`, maskPaths: [], className: 'brain', kind, isAnomalous }];
  });
}
