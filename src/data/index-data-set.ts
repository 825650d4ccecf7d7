/** Makes meta.json from folders: what `data index` does. */
import { dirname, join, resolve } from 'node:path';
import { CraneError } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import type { DataChoices } from '../options/types.js';
import type { ScanReport } from '../scan/scan-account.js';
import type { DataSet, Split } from './data-set.js';
import { findDataSource } from './data-source.js';
import { indexText } from './index-text.js';
import { shownValues } from './mask-values.js';
import { readMetaFile } from './meta-read.js';
import { refuseFaults } from './place-entries.js';

export interface Indexed {
  /** the index that was written */
  file: string;
  layout: string;
  layoutReason: string;
  sets: Record<Split, DataSet>;
  /** of everything below the root */
  scan: ScanReport;
  /** masks that were made of annotations */
  masks?: number;
}

export interface IndexOptions extends DataChoices {
  layout: string;
  /** default: meta.json in the root */
  out?: string;
  overwrite: boolean;
}

/** @throws CraneError E_DATA_*, E_EXISTS, E_IO_WRITE, E_USAGE */
export async function indexDataSet(
  root: string,
  { out, overwrite, ...reading }: IndexOptions,
): Promise<Indexed> {
  const source = await findDataSource(root, { ...reading, ignoreIndex: true });
  const file = resolve(out ?? join(source.root, 'meta.json'));
  const [test, train] = [await source.open('test'), await source.open('train')];
  refuseFaults(source, [...test.faults, ...train.faults]);
  if (test.set.items.length + train.set.items.length === 0)
    throw new CraneError('E_DATA_EMPTY', `${root}: no pictures in layout ${source.layout}`);
  const sets = { test: test.set, train: train.set };
  if (source.maskValues === undefined) sets.test.warnings.push(...(await lostValues(file)));
  const text = indexText(file, { test: sets.test.items, train: sets.train.items }, source.root, {
    folder: dirname(file),
    hasNoKinds: source.hasNoKinds,
    ...(test.set.defects === undefined ? {} : { defects: test.set.defects }),
    ...(source.maskValues === undefined ? {} : { maskValues: source.maskValues }),
  });
  await writeWhole(file, text, { overwrite });
  return {
    file,
    layout: source.layout,
    layoutReason: sets.test.layoutReason,
    sets,
    scan: await source.account(),
  };
}

/** The index before knew which values are defects: this one would take all above 0 without a word. */
async function lostValues(file: string): Promise<string[]> {
  const before = await readMetaFile(file).catch(() => undefined);
  const values = before?.read('test').maskValues;
  if (values === undefined) return [];
  return [
    `the index before took ${shownValues(values)} of its masks as defects, this one takes all above 0; --mask-values keeps them`,
  ];
}
