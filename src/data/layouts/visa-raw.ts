import { join } from 'node:path';
import { CraneError } from '../../errors.js';
import { byCodeUnits } from '../data-set.js';
import type { Entry } from '../entry.js';
import { readTable } from '../table.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

const k_table = 'image_anno.csv';

/** VisA as it is downloaded, without the authors' split. */
export const visaRaw: Layout = {
  name: 'visa-raw',
  title: 'VisA as downloaded, without split_csv',
  shape: `CLASS/${k_table} with the columns image, label, mask`,
  recognise: async (tree) => {
    const [first] = await tables(tree);
    return first === undefined ? undefined : { strength: 2, why: `${first} is there, and no split_csv` };
  },
  read: async (tree, split) => {
    if (split === 'train') return { entries: [], warnings: [] };
    const files = await tables(tree);
    const entries = (await Promise.all(files.map((file) => readClass(tree, file)))).flat();
    entries.sort((a, b) => byCodeUnits(a.className, b.className) || byCodeUnits(a.imagePath, b.imagePath));
    return {
      entries,
      consulted: files,
      warnings: [
        'without split_csv/1cls.csv there is no split: all pictures are test pictures, more than the paper has',
      ],
    };
  },
};

async function tables(tree: PictureTree): Promise<string[]> {
  const found: string[] = [];
  for (const name of await tree.folders())
    if (await tree.hasFile(`${name}/${k_table}`)) found.push(`${name}/${k_table}`);
  return found;
}

async function readClass(tree: PictureTree, file: string): Promise<Entry[]> {
  const { columns, rows } = await readTable(join(tree.root, file));
  const [image, label, mask] = ['image', 'label', 'mask'].map((name) => columns.indexOf(name));
  if (image! < 0 || label! < 0)
    throw new CraneError('E_DATA_META', `${file}: expected the columns image, label and mask`);
  const className = file.split('/')[0]!;
  return rows.map((cells, index) => {
    const kind = cells[label!];
    if (!kind) throw new CraneError('E_DATA_META', `${file}: row ${index + 2}: label: nothing is there`);
    const isAnomalous = !tree.labels.isNormalKind(kind);
    return {
      imagePath: cells[image!] ?? '',
      maskPaths: isAnomalous && cells[mask!] ? [cells[mask!]!] : [],
      className,
      kind: isAnomalous ? 'anomaly' : 'normal',
      isAnomalous,
    };
  });
}
