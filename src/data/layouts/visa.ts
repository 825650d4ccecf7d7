import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { codedReadError } from '../../files/open-file.js';
import { loadOptional } from '../../files/optional-packages.js';
import { byCodeUnits } from '../data-set.js';
import type { Reading } from '../entry.js';
import type { Layout } from './layout.js';

const k_table = 'split_csv/1cls.csv';
const k_maxBytes = 64 * 2 ** 20;

const rowSchema = z.object({
  object: z.string().min(1).max(255),
  split: z.enum(['train', 'test']),
  label: z.enum(['normal', 'anomaly']),
  image: z.string().min(1).max(4096),
  mask: z.string().max(4096).optional(),
});

export const visa: Layout = {
  name: 'visa',
  title: 'VisA',
  shape: `${k_table} with the columns object, split, label, image, mask`,
  published: {
    name: 'visa',
    classes: [
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
    ],
    normal: 962,
    anomalous: 1200,
  },
  recognise: async (tree) =>
    (await tree.hasFile(k_table)) ? { strength: 3, why: `${k_table} is there` } : undefined,
  read: async (tree, split) => readTable(join(tree.root, k_table), split),
};

/** Rows keep the table's order within their class. */
async function readTable(file: string, split: string): Promise<Reading> {
  const rows = (await parseRows(await readText(file), file)).filter((row) => row.split === split);
  rows.sort((a, b) => byCodeUnits(a.object, b.object));
  const entries = rows.map(({ object, label, image, mask }) => ({
    imagePath: image,
    maskPaths: mask ? [mask] : [],
    className: object,
    kind: label,
    isAnomalous: label === 'anomaly',
  }));
  return { entries, warnings: [] };
}

async function parseRows(text: string, file: string): Promise<z.infer<typeof rowSchema>[]> {
  const { parse } = await loadOptional(`reading ${file}`, ['csv-parse'], () => import('csv-parse/sync'));
  let rows: string[][];
  try {
    rows = parse(text, { bom: true, skip_empty_lines: true, trim: true, max_record_size: 20_000 });
  } catch (cause) {
    throw new CraneError('E_DATA_META', `${file}: ${(cause as Error).message}`, { cause });
  }
  const columns = rows.shift() ?? [];
  return rows.map((cells, index) => {
    // From pairs, so that a column called like a property of every object stays a column.
    const checked = rowSchema.safeParse(Object.fromEntries(columns.map((name, at) => [name, cells[at]])));
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

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > k_maxBytes)
      throw new CraneError('E_DATA_META', `${file}: ${size} bytes, at most ${k_maxBytes} are read`);
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw thrown instanceof CraneError ? thrown : codedReadError(file, thrown);
  }
}
