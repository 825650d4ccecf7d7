/** Opens one split of a data set that has to be whole, for training and testing. */
import { realpath } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { checkOptions, checkPath } from '../options/check.js';
import type { DataChoices } from '../options/types.js';
import type { DataSet, Split } from './data-set.js';
import { findDataSource, isIndexed } from './data-source.js';
import type { LabelChoices } from './folder-labels.js';
import { refuseFaults } from './place-entries.js';

export interface OpenDataSetOptions extends DataChoices {
  /** default 'test' */
  split?: Split;
  /** name of a layout (`data list`); 'auto', the default: the index where there is one, else what the folders show */
  layout?: string;
  /** default: the name of the root folder */
  name?: string;
}

/**
 * @param path a meta.json, a folder with one, or the root of folders in a known layout
 * @throws CraneError E_DATA_NOT_FOUND (also for a picture or mask that is missing), E_DATA_LAYOUT, E_DATA_META,
 *   E_DATA_PATH, E_DATA_EMPTY, E_USAGE
 */
export async function openDataSet(path: string, options: OpenDataSetOptions = {}): Promise<DataSet> {
  checkPath('path', path);
  return open(path, checkOptions('openDataSet', options), false);
}

/**
 * Labels of folders are for those of the sets that are read from folders; to the others they are said to do nothing.
 * @throws CraneError as `openDataSet`; E_USAGE when a set is given twice, or when all have an index and labels are given
 */
export async function openDataSets(
  paths: readonly string[],
  options: OpenDataSetOptions = {},
): Promise<DataSet[]> {
  const indexed = await Promise.all(paths.map((path) => isIndexed(path, options)));
  const sets: DataSet[] = [];
  for (const path of paths) sets.push(await open(path, options, indexed.includes(false)));
  await refuseTwice(sets);
  return sets;
}

/**
 * Labels that are given for groups of sets, those that are learned from and those that are tested: a group whose sets all have an index
 * takes none where another group takes them.
 * @returns for each group what it is opened with in their place, undefined: with them
 * @throws CraneError E_DATA_NOT_FOUND
 */
export async function labelsOfGroups(
  groups: readonly (readonly string[])[],
  options: OpenDataSetOptions,
): Promise<(LabelChoices | undefined)[]> {
  const takes: boolean[] = [];
  for (const paths of groups) {
    const indexed = await Promise.all(paths.map((path) => isIndexed(path, options)));
    takes.push(indexed.includes(false));
  }
  if (!takes.includes(true)) return groups.map(() => undefined);
  return takes.map((does) =>
    does ? undefined : { normalFolder: [], anomalousFolder: [], unknownFolders: 'stop' },
  );
}

/** One of `openDataSets` once more, in its other split. */
export function openAnew(path: string, options: OpenDataSetOptions): Promise<DataSet> {
  return open(path, options, true);
}

async function open(path: string, options: OpenDataSetOptions, labelsMayIdle: boolean): Promise<DataSet> {
  const split = options.split ?? 'test';
  const source = await findDataSource(path, { ...options, labelsMayIdle });
  const { set, faults } = await source.open(split);
  refuseFaults(set, faults);
  if (set.items.length > 0) return set;
  const other = split === 'test' ? 'train' : 'test';
  const elsewhere = (await source.open(other)).set.items.length;
  throw new CraneError('E_DATA_EMPTY', `${path}: no pictures in the ${split} split of layout ${set.layout}`, {
    hint: elsewhere > 0 ? `its ${other} split has ${elsewhere}` : 'known layouts: npx crane-native data list',
  });
}

/** By their real paths: a symbolic link to a set would count its pictures twice. */
async function refuseTwice(sets: readonly DataSet[]): Promise<void> {
  const seen = new Map<string, string>();
  for (const { root } of sets) {
    const real = await realpath(root).catch(() => root);
    const first = seen.get(real);
    if (first !== undefined) {
      const links = first === root ? '' : `, as ${first} too`;
      throw new CraneError('E_USAGE', `${root}: is given twice${links}`);
    }
    seen.set(real, root);
  }
}
