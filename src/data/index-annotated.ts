/** Makes masks of annotations and an index of the pictures with them: `data index --annotations`. */
import { dirname, join, resolve } from 'node:path';
import { CraneError, toCraneError } from '../errors.js';
import { exists, isThere, writeWhole } from '../files/write-whole.js';
import { defaultOf } from '../options/table.js';
import { visible } from '../terminal/visible.js';
import {
  type FoundPicture,
  isOfAnnotations,
  type Matched,
  masksOf,
  matchPictures,
  writeMasks,
} from './annotations/annotate.js';
import type { Annotations } from './annotations/annotated.js';
import { readAnnotations } from './annotations/read-annotations.js';
import type { DataItem, DataSet, Split } from './data-set.js';
import { type DataSource, findDataSource } from './data-source.js';
import { FolderLabels } from './folder-labels.js';
import type { Indexed, IndexOptions } from './index-data-set.js';
import { indexText } from './index-text.js';
import { PictureTree } from './layouts/picture-tree.js';
import { refuseFaults } from './place-entries.js';

/** @throws CraneError E_DATA_*, E_IMAGE_TOO_LARGE, E_EXISTS, E_IO_WRITE, E_USAGE, E_TEXT_ENCODING */
export async function indexAnnotated(
  root: string,
  annotationsAt: string,
  options: IndexOptions & { maxPixels?: number | undefined },
): Promise<Indexed> {
  const { out, overwrite, maxPixels = defaultOf('maxPixels'), ...reading } = options;
  if (reading.maskValues !== undefined || reading.maskLabels !== undefined)
    throw new CraneError(
      'E_USAGE',
      'masks are made of annotations, or label maps are read by values, not both',
      {
        hint: 'leave out --annotations, or --mask-values and --mask-labels',
      },
    );
  const place = resolve(root);
  const file = resolve(out ?? join(place, 'meta.json'));
  if (!overwrite && (await isThere(file))) throw exists(file);
  const annotations = await readAnnotations(annotationsAt);
  const tree = new PictureTree(place, new FolderLabels(reading));
  const matched = await matchPictures(tree, annotations);
  // Masks may be those that were made of annotations before.
  const masksTell = reading.layout !== 'auto';
  const labelled = await labelledSource(tree, { ...reading, ignoreIndex: true, masksTell });
  const masks = masksOf(matched.found);
  const sets = labelled
    ? withMasks(labelled, matched, masks, annotations)
    : unlabelled(tree, matched, masks, annotations);
  // Drawing all masks may take hours: what no index can hold is refused before.
  const text = indexText(file, { test: sets.test.items, train: sets.train.items }, place, {
    folder: dirname(file),
    hasNoKinds: labelled?.source.hasNoKinds ?? false,
  });
  const unmarked = await writeMasks(place, matched.found, masks, {
    overwrite,
    maxPixels,
    followLinks: reading.followLinks ?? false,
  });
  await writeWhole(file, text, { overwrite });
  // Of labelme there may be one for each file.
  sets.test.warnings = [sets.test, annotations, matched].flatMap(({ warnings }) => warnings).concat(unmarked);
  // Once more from the file, as everybody reads it from now on.
  const { followLinks } = reading;
  const index = await findDataSource(file, followLinks === undefined ? {} : { followLinks });
  const { layout, layoutReason } = sets.test;
  return { file, layout, layoutReason, sets, scan: await index.account(), masks: masks.size };
}

interface Labelled {
  source: DataSource;
  test: Awaited<ReturnType<DataSource['open']>>;
  train: Awaited<ReturnType<DataSource['open']>>;
}

/** Folders that say what is normal; undefined: the annotations have to. */
async function labelledSource(
  tree: PictureTree,
  options: Parameters<typeof findDataSource>[1],
): Promise<Labelled | undefined> {
  try {
    const source = await findDataSource(tree.root, options);
    return { source, test: await source.open('test'), train: await source.open('train') };
  } catch (thrown) {
    const { code } = toCraneError(thrown);
    if (options?.layout === 'auto' && code === 'E_DATA_LAYOUT') return undefined;
    // Folders like train_images beside test_images hold no label at all.
    if (options?.layout === 'auto' && code === 'E_DATA_LABELS' && !(await hasLabelledFolder(tree)))
      return undefined;
    throw thrown;
  }
}

async function hasLabelledFolder(tree: PictureTree, folder = '', deepest = 3): Promise<boolean> {
  for (const name of await tree.folders(folder)) {
    if (tree.labels.isKnown(name)) return true;
    const below = folder === '' ? name : `${folder}/${name}`;
    if (deepest > 0 && (await hasLabelledFolder(tree, below, deepest - 1))) return true;
  }
  return false;
}

const k_unread = 'have labels that cannot be read';

function withMasks(
  { source, test, train }: Labelled,
  { found, unread }: Matched,
  masks: ReadonlyMap<string, string>,
  { format }: Pick<Annotations, 'format'>,
): Record<Split, DataSet> {
  refuseFaults(source, [...test.faults, ...train.faults]);
  // Looked at, with nothing to draw: a mask that lies there is of an annotation that is no more. That of a picture which
  // nothing names may be drawn by hand.
  const bare = new Set(
    found.filter(({ shapes, undrawn }) => shapes.length + undrawn === 0).map(({ path }) => path),
  );
  const [dropped, kept]: [string[], string[]] = [[], []];
  const add = (set: DataSet): DataSet => ({
    ...set,
    layoutReason: `${set.layoutReason}; masks from ${format}`,
    items: set.items.map((item) => {
      const mask = masks.get(item.imagePath);
      if (mask !== undefined) return maskedItem(item, source.root, mask);
      if (!item.maskPaths.some(isOfAnnotations)) return item;
      const isBare = bare.has(item.imagePath);
      (isBare ? dropped : kept).push(item.imagePath);
      return isBare ? { ...item, mask: null, maskPath: null, masks: [], maskPaths: [] } : item;
    }),
  });
  const sets = { test: add(test.set), train: add(train.set) };
  const say = (paths: readonly string[], what: string) =>
    paths.length > 0 &&
    sets.test.warnings.push(`${paths.length} pictures ${what}, for instance ${visible(paths[0]!)}`);
  say(dropped, 'have nothing drawn on them, so that their masks, which lie there, are not taken');
  say(kept, 'are named by no annotation, and keep the masks that lie there');
  say(unread, `${k_unread}, and get no masks by them`);
  return sets;
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
  { found, others, unread, elsewhere }: Matched,
  masks: ReadonlyMap<string, string>,
  { format, othersAreNormal }: { format: string; othersAreNormal: boolean },
): Record<Split, DataSet> {
  const pictures: FoundPicture[] = [
    ...found,
    ...(othersAreNormal ? others.map((path) => ({ path, shapes: [], size: undefined, undrawn: 0 })) : []),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const items = pictures.map((picture) => itemOf(tree, picture, masks.get(picture.path)));
  if (items.length === 0) throw new CraneError('E_DATA_EMPTY', `${tree.root}: no annotated pictures`);
  const unseen = othersAreNormal ? elsewhere : [...others, ...elsewhere];
  const isEmpty = !items.some(({ isAnomalous }) => isAnomalous);
  const setOf = (split: Split): DataSet => ({
    name: tree.name || 'data',
    root: tree.root,
    layout: 'annotations',
    layoutReason: `${format}: pictures with something drawn on them are anomalous, others normal`,
    split,
    items: items.filter(({ imagePath }) => splitOf(imagePath) === split),
    warnings: [
      ...(split === 'test' ? tree.labels.unmet(tree.name) : []),
      ...(split === 'test' && isEmpty
        ? [`nothing is drawn on any of the ${items.length} pictures: all of them are taken as normal`]
        : []),
      ...(split === 'test' && unread.length > 0
        ? [`${unread.length} pictures ${k_unread}, and are left out, for instance ${visible(unread[0]!)}`]
        : []),
      ...(split === 'test' && unseen.length > 0
        ? [
            `${unseen.length} pictures without annotations are left out, for instance ${visible(unseen[0]!)}: nothing says that they are normal`,
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
