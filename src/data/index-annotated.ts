/** Makes masks of annotations and an index of the pictures with them: `data index --annotations`. */
import { dirname, join, resolve } from 'node:path';
import { CraneError, toCraneError } from '../errors.js';
import { exists, isThere, writeWhole } from '../files/write-whole.js';
import { visible } from '../terminal/visible.js';
import { type FoundPicture, type Matched, matchPictures, writeMasks } from './annotations/annotate.js';
import { readAnnotations } from './annotations/read-annotations.js';
import type { DataItem, DataSet, Split } from './data-set.js';
import { type DataSource, findDataSource } from './data-source.js';
import { FolderLabels } from './folder-labels.js';
import type { Indexed, IndexOptions } from './index-data-set.js';
import { PictureTree } from './layouts/picture-tree.js';
import { metaText } from './meta-write.js';
import { refuseFaults } from './place-entries.js';

/** @throws CraneError E_DATA_*, E_EXISTS, E_IO_WRITE, E_USAGE, E_TEXT_ENCODING */
export async function indexAnnotated(
  root: string,
  annotationsAt: string,
  options: IndexOptions,
): Promise<Indexed> {
  const { out, overwrite, ...reading } = options;
  const place = resolve(root);
  const file = resolve(out ?? join(place, 'meta.json'));
  if (!overwrite && (await isThere(file))) throw exists(file);
  const annotations = await readAnnotations(annotationsAt);
  const tree = new PictureTree(place, new FolderLabels(reading));
  const matched = await matchPictures(tree, annotations);
  const source = await labelledSource(place, { ...reading, ignoreIndex: true });
  const masks = await writeMasks(place, matched.found, overwrite);
  const sets = source
    ? await withMasks(source, masks, annotations.format)
    : unlabelled(tree, matched, masks, annotations);
  sets.test.warnings.push(...annotations.warnings, ...matched.warnings);
  const text = metaText({ test: sets.test.items, train: sets.train.items }, place, {
    folder: dirname(file),
    hasNoKinds: source?.hasNoKinds ?? false,
  });
  await writeWhole(file, text, { overwrite });
  // Once more from the file, as everybody reads it from now on.
  const written = await findDataSource(file, reading);
  const { layout, layoutReason } = sets.test;
  return { file, layout, layoutReason, sets, scan: await written.account(), masks: masks.size };
}

/** Folders that say what is normal; undefined: the annotations have to. */
async function labelledSource(
  root: string,
  options: Parameters<typeof findDataSource>[1],
): Promise<DataSource | undefined> {
  try {
    return await findDataSource(root, options);
  } catch (thrown) {
    if (options?.layout === 'auto' && toCraneError(thrown).code === 'E_DATA_LAYOUT') return undefined;
    throw thrown;
  }
}

async function withMasks(
  source: DataSource,
  masks: ReadonlyMap<string, string>,
  format: string,
): Promise<Record<Split, DataSet>> {
  const [test, train] = [await source.open('test'), await source.open('train')];
  refuseFaults(source.name, [...test.faults, ...train.faults]);
  const add = (set: DataSet): DataSet => ({
    ...set,
    layoutReason: `${set.layoutReason}; masks from ${format}`,
    items: set.items.map((item) => {
      const mask = masks.get(item.imagePath);
      return mask === undefined ? item : maskedItem(item, source.root, mask);
    }),
  });
  return { test: add(test.set), train: add(train.set) };
}

function maskedItem(item: DataItem, root: string, mask: string): DataItem {
  return {
    ...item,
    mask: join(root, mask),
    maskPath: mask,
    masks: [join(root, mask)],
    maskPaths: [mask],
  };
}

/** A picture with something drawn on it is anomalous, one that was looked at and has nothing is normal. */
function unlabelled(
  tree: PictureTree,
  { found, others }: Matched,
  masks: ReadonlyMap<string, string>,
  { format, othersAreNormal }: { format: string; othersAreNormal: boolean },
): Record<Split, DataSet> {
  const pictures: FoundPicture[] = [
    ...found,
    ...(othersAreNormal ? others.map((path) => ({ path, shapes: [], size: undefined, undrawn: 0 })) : []),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const items = pictures.map((picture) => itemOf(tree, picture, masks.get(picture.path)));
  if (items.length === 0) throw new CraneError('E_DATA_EMPTY', `${tree.root}: no annotated pictures`);
  const isEmpty = !items.some(({ isAnomalous }) => isAnomalous);
  const setOf = (split: Split): DataSet => ({
    name: tree.name || 'data',
    root: tree.root,
    layout: 'annotations',
    layoutReason: `${format}: pictures with something drawn on them are anomalous, others normal`,
    split,
    items: items.filter(({ imagePath }) => splitOf(imagePath) === split),
    warnings: [
      ...(split === 'test' && isEmpty
        ? [`nothing is drawn on any of the ${items.length} pictures: all of them are taken as normal`]
        : []),
      ...(split === 'test' && !othersAreNormal && others.length > 0
        ? [
            `${others.length} pictures without annotations are left out, for instance ${visible(others[0]!)}: nothing says that they are normal`,
          ]
        : []),
    ],
    scan: { pictures: 0, masks: 0, leftOut: [] },
  });
  return { test: setOf('test'), train: setOf('train') };
}

function itemOf(
  tree: PictureTree,
  { path, shapes, undrawn }: FoundPicture,
  mask: string | undefined,
): DataItem {
  const labels = [...new Set(shapes.map(({ label }) => label))];
  const isAnomalous = shapes.length + undrawn > 0;
  const item: DataItem = {
    image: join(tree.root, path),
    imagePath: path,
    mask: null,
    maskPath: null,
    masks: [],
    maskPaths: [],
    className: tree.name || 'object',
    kind: isAnomalous
      ? labels.length === 1
        ? labels[0]!
        : labels.length === 0
          ? 'anomalous'
          : 'several'
      : 'good',
    isAnomalous,
  };
  return mask === undefined ? item : maskedItem(item, tree.root, mask);
}

function splitOf(path: string): Split {
  return path
    .split('/')
    .slice(0, -1)
    .some((name) => name.toLowerCase() === 'train')
    ? 'train'
    : 'test';
}
