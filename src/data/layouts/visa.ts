import { join } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { byCodeUnits } from '../data-set.js';
import type { EntryReading } from '../entry.js';
import { readTable } from '../table.js';
import type { Layout } from './layout.js';

const k_table = 'split_csv/1cls.csv';

const rowSchema = z.object({
  object: z.string().min(1).max(255),
  split: z.enum(['train', 'test']),
  label: z.enum(['normal', 'anomaly']),
  image: z.string().min(1).max(4096),
  mask: z.string().max(4096).optional(),
});

export const visaClasses = [
  'candle',
  'capsules',
  'cashew',
  'chewinggum',
  'fryum',
  'macaroni1',
  'macaroni2',
  'pcb1',
  'pcb2',
  'pcb3',
  'pcb4',
  'pipe_fryum',
] as const;

export const visa: Layout = {
  name: 'visa',
  title: 'VisA',
  shape: `${k_table} with the columns object, split, label, image, mask`,
  published: { name: 'visa', classes: visaClasses, normal: 962, anomalous: 1200 },
  hasNoKinds: true,
  recognise: async (tree) =>
    (await tree.hasFile(k_table)) ? { strength: 3, why: `${k_table} is there` } : undefined,
  read: async (tree, split) => readRows(join(tree.root, k_table), split),
};

/** Rows keep the table's order within their class. */
async function readRows(file: string, split: string): Promise<EntryReading> {
  const rows = await checkedRows(file);
  const ofSplit = rows.filter((row) => row.split === split);
  ofSplit.sort((a, b) => byCodeUnits(a.object, b.object));
  const entries = ofSplit.map(({ object, label, image, mask }) => ({
    imagePath: image,
    maskPaths: mask ? [mask] : [],
    className: object,
    kind: label,
    isAnomalous: label === 'anomaly',
  }));
  return { entries, warnings: [], consulted: [k_table] };
}

async function checkedRows(file: string): Promise<z.infer<typeof rowSchema>[]> {
  const { columns, rows } = await readTable(file);
  // Others are not looked at: a table may have a million of them.
  const wanted = Object.keys(rowSchema.shape).map((name) => [name, columns.lastIndexOf(name)] as const);
  return rows.map((cells, index) => {
    const checked = rowSchema.safeParse(Object.fromEntries(wanted.map(([name, at]) => [name, cells[at]])));
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    throw new CraneError(
      'E_DATA_META',
      `${file}: row ${index + 2}, ${issue?.path.join('.')}: ${issue?.message}`,
      {
        hint: 'expected the columns object, split, label, image, mask',
        cause: checked.error,
      },
    );
  });
}
