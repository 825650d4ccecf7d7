/** Finds out what a data set is: an index (meta.json), or folders in one of the known layouts. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CraneError } from '../errors.js';
import type { DataSet, Split } from './data-set.js';
import type { Reading } from './entry.js';
import { chooseLayout } from './layouts/choose.js';
import type { PublishedSet } from './layouts/layout.js';
import { PictureTree } from './layouts/picture-tree.js';
import { publishedByClasses } from './layouts/registry.js';
import { readMetaFile } from './meta-read.js';
import { type PathFault, placeEntries } from './place-entries.js';
import { RootFence } from './root-fence.js';

/** A data set found and recognised, from which either split can be read. */
export interface DataSource {
  name: string;
  root: string;
  layout: string;
  /** why this layout */
  reason: string;
  /** what the paper counted in this layout, where it is one of the paper's */
  expected?: PublishedSet;
  /** Paths that cannot be used come back as faults; nothing is thrown for them. */
  open(split: Split): Promise<{ set: DataSet; faults: PathFault[] }>;
}

export interface FindOptions {
  /** name of a layout, or 'auto' */
  layout?: string;
  /** default: the name of the root folder */
  name?: string;
  /** read the folders even where there is an index */
  ignoreIndex?: boolean;
}

/** @throws CraneError E_DATA_NOT_FOUND, E_DATA_LAYOUT, E_DATA_META, E_USAGE */
export async function findDataSource(
  path: string,
  { layout = 'auto', name, ignoreIndex = false }: FindOptions = {},
): Promise<DataSource> {
  const isFolder = await checkPlace(path);
  const index = isFolder ? join(path, 'meta.json') : path;
  const fence = await RootFence.at(dirname(index));
  const found = { name: name ?? (basename(fence.root) || 'data'), fence };
  const mustBeFolder = layout !== 'auto' || ignoreIndex;
  if (mustBeFolder && !isFolder) {
    throw new CraneError('E_USAGE', `${path}: folders are wanted, this is a file`, {
      hint: 'leave --layout out, or name the root folder',
    });
  }
  if (!mustBeFolder && (!isFolder || (await isFile(index)))) {
    const meta = await readMetaFile(index);
    const reason = `there is an index, ${basename(index)}`;
    return sourceOf({ ...found, layout: 'meta.json', reason, read: async (split) => meta.read(split) });
  }
  const tree = new PictureTree(resolve(path));
  const chosen = await chooseLayout(tree, layout);
  const { published } = chosen.layout;
  return sourceOf({
    ...found,
    layout: chosen.layout.name,
    reason: chosen.reason,
    ...(published === undefined ? {} : { expected: published }),
    read: (split) => chosen.layout.read(tree, split),
  });
}

interface Found {
  name: string;
  fence: RootFence;
  layout: string;
  reason: string;
  expected?: PublishedSet;
  read(split: Split): Promise<Reading>;
}

function sourceOf({ name, fence, layout, reason, expected, read }: Found): DataSource {
  const open = async (split: Split) => {
    const reading = await read(split);
    const { items, faults, warnings } = await placeEntries(reading.entries, fence);
    const classNames = items.map(({ className }) => className);
    const published = publishedByClasses(classNames, expected?.name ?? name);
    const set: DataSet = {
      name,
      root: fence.root,
      layout,
      layoutReason: reason,
      ...(published === undefined ? {} : { published: published.name }),
      split,
      items,
      warnings: [...reading.warnings, ...warnings],
    };
    return { set, faults };
  };
  return { name, root: fence.root, layout, reason, ...(expected === undefined ? {} : { expected }), open };
}

/** @returns whether it is a folder */
async function checkPlace(path: string): Promise<boolean> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new CraneError('E_DATA_NOT_FOUND', `${path}: there is no such file or folder`, { cause });
  });
  if (!facts.isDirectory() && !facts.isFile())
    throw new CraneError('E_DATA_NOT_FOUND', `${path}: neither a folder nor a regular file`);
  return facts.isDirectory();
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
