/** Finds out what a data set is: an index (meta.json), or folders in one of the known layouts. */

import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CraneError } from '../errors.js';
import { pictureKind } from '../images/format.js';
import type { DataChoices } from '../options/types.js';
import type { ScanReport } from '../scan/scan-account.js';
import { shellOption, shellPath } from '../terminal/shell-word.js';
import { accountOfTree } from './account-of-tree.js';
import type { DataSet, Split } from './data-set.js';
import type { EntryReading } from './entry.js';
import { FolderLabels } from './folder-labels.js';
import { chooseLayout } from './layouts/choose.js';
import { annotationAdvice } from './layouts/known-sets.js';
import type { PublishedSet } from './layouts/layout.js';
import { PictureTree } from './layouts/picture-tree.js';
import { publishedByClasses } from './layouts/registry.js';
import { chosenMaskValues, type NamedValues, shownValues } from './mask-values.js';
import { readMetaFile } from './meta-read.js';
import { type PathFault, placeEntries } from './place-entries.js';
import { RootFence } from './root-fence.js';
import { surveyMasks } from './survey-masks.js';

/** A data set found and recognised, from which either split can be read. */
export interface DataSource {
  name: string;
  root: string;
  layout: string;
  /** why this layout */
  reason: string;
  /** what the paper counted in this layout, where it is one of the paper's */
  expected: PublishedSet | undefined;
  /** an index of it names no kinds */
  hasNoKinds: boolean;
  /** which values of its masks are defects, where that was chosen */
  readonly maskValues: NamedValues | undefined;
  /** Paths that cannot be used come back as faults; nothing is thrown for them. */
  open(split: Split): Promise<{ set: DataSet; faults: PathFault[] }>;
  /** Of everything below the root, also of what an index does not name. */
  account(): Promise<ScanReport>;
}

export interface FindDataOptions extends DataChoices {
  /** name of a layout, or 'auto' */
  layout?: string;
  /** default: the name of the root folder */
  name?: string;
  /** read the folders even where there is an index */
  ignoreIndex?: boolean;
  /** default true; false: masks may be there for other reasons than that a folder is anomalous */
  masksTell?: boolean;
  /** default false; true: labels of folders may be given for an index, since another set takes them */
  labelsMayIdle?: boolean;
}

/** @throws CraneError E_DATA_NOT_FOUND, E_DATA_LAYOUT, E_DATA_META, E_USAGE */
export async function findDataSource(path: string, options: FindDataOptions = {}): Promise<DataSource> {
  const { layout = 'auto', name, masksTell = true, followLinks = false, labelsMayIdle = false } = options;
  const isFolder = await checkPlace(path);
  if (!isFolder && pictureKind(path).kind !== 'unknown') {
    throw new CraneError('E_USAGE', `${path}: a picture, and a data set is a folder or its meta.json`, {
      hint: 'name the root folder of the set, with test/good, test/<defect> and ground_truth',
    });
  }
  const index = isFolder ? join(path, 'meta.json') : path;
  const fence = await RootFence.at(dirname(index), followLinks);
  const found = {
    name: name ?? (basename(fence.root) || 'data'),
    fence,
    values: await chosenMaskValues(options),
  };
  if (!isFolder && mustBeFolder(options)) {
    throw new CraneError('E_USAGE', `${path}: folders are wanted, this is a file`, {
      hint: 'leave --layout out, or name the root folder',
    });
  }
  const tree = new PictureTree(fence.root, new FolderLabels(options, masksTell), found.values);
  if (await isIndexed(path, options)) {
    const idle = idleLabels(index, options);
    if (idle !== undefined && !labelsMayIdle) throw idle;
    const meta = await readMetaFile(index);
    const reason = `there is an index, ${basename(index)}`;
    return new Source({
      ...found,
      tree,
      layout: 'meta.json',
      reason,
      ...(idle === undefined ? {} : { idleLabels: idle.message }),
      read: async (split) => meta.read(split),
    });
  }
  const chosen = await chooseLayout(tree, layout);
  const { published, reasonFor } = chosen.layout;
  return new Source({
    ...found,
    tree,
    layout: chosen.layout.name,
    reason: chosen.reason,
    ...(published === undefined ? {} : { expected: published }),
    reasonFor: reasonFor ?? (() => undefined),
    hasNoKinds: chosen.layout.hasNoKinds ?? false,
    read: (split) =>
      chosen.layout.read(tree, split).catch(async (thrown: unknown) => {
        throw layout === 'auto' ? await orAdvice(tree, thrown) : thrown;
      }),
  });
}

/** Whether a set is read by its index, not from its folders. @throws CraneError E_DATA_NOT_FOUND */
export async function isIndexed(path: string, options: FindDataOptions): Promise<boolean> {
  const isFolder = await checkPlace(path);
  return !mustBeFolder(options) && (!isFolder || (await isFile(join(path, 'meta.json'))));
}

function mustBeFolder({ layout = 'auto', ignoreIndex = false }: FindDataOptions): boolean {
  return layout !== 'auto' || ignoreIndex;
}

/** The labels of an index are those that it was made with: why what was given does nothing; undefined: nothing was. */
function idleLabels(
  index: string,
  { normalFolder = [], anomalousFolder = [], unknownFolders = 'stop' }: DataChoices,
): CraneError | undefined {
  const given = [
    ...(normalFolder.length > 0 ? [shellOption('normal-folder', normalFolder.join(','))] : []),
    ...(anomalousFolder.length > 0 ? [shellOption('anomalous-folder', anomalousFolder.join(','))] : []),
    ...(unknownFolders === 'stop' ? [] : [shellOption('unknown-folders', unknownFolders)]),
  ].join(' ');
  if (given === '') return undefined;
  const root = dirname(index);
  // Never over this one: folders may show less than it says, by a split or by annotations.
  return new CraneError('E_USAGE', `${index}: this index says which pictures are normal, not ${given}`, {
    hint: `make another of the folders: npx crane-native data index ${shellPath(root)} --out ${shellPath(join(root, 'OTHER.json'))} ${given}`,
  });
}

/** Folders that no label is known of may be those of a set whose annotations say it: train_images beside test_images. */
async function orAdvice(tree: PictureTree, thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof CraneError) || thrown.code !== 'E_DATA_LABELS') return thrown;
  const advice = await annotationAdvice(tree);
  return advice === undefined
    ? thrown
    : new CraneError('E_DATA_LAYOUT', `${tree.root}: ${advice.what}`, { hint: advice.hint, cause: thrown });
}

interface Found {
  name: string;
  fence: RootFence;
  tree: PictureTree;
  values: NamedValues | undefined;
  layout: string;
  reason: string;
  expected?: PublishedSet;
  hasNoKinds?: boolean;
  /** labels that were given and do nothing, for a warning */
  idleLabels?: string;
  /** of folders; without it the set is read from an index */
  reasonFor?: NonNullable<Parameters<typeof accountOfTree>[1]['reasonFor']>;
  read(split: Split): Promise<EntryReading>;
}

class Source implements DataSource {
  readonly #found: Found;
  readonly #readings = new Map<Split, Promise<EntryReading>>();
  #hasToldLabels = false;

  constructor(found: Found) {
    this.#found = found;
  }

  get name(): string {
    return this.#found.name;
  }

  get root(): string {
    return this.#found.fence.root;
  }

  get layout(): string {
    return this.#found.layout;
  }

  get reason(): string {
    return this.#found.reason;
  }

  get expected(): PublishedSet | undefined {
    return this.#found.expected;
  }

  get hasNoKinds(): boolean {
    return this.#found.hasNoKinds ?? false;
  }

  get maskValues(): NamedValues | undefined {
    return this.#found.values;
  }

  async open(split: Split): Promise<{ set: DataSet; faults: PathFault[] }> {
    const { name, fence, layout, expected } = this.#found;
    const reading = await this.#read(split);
    const values = this.#found.values ?? reading.maskValues;
    const reason =
      this.#found.reason + (values === undefined ? '' : `; of its masks ${shownValues(values)} are defects`);
    const placed = await placeEntries(reading.entries, fence);
    const { faults, warnings } = placed;
    const items =
      values === undefined ? placed.items : placed.items.map((item) => ({ ...item, maskValues: values }));
    if (values !== undefined) warnings.push(...(await surveyMasks(name, items, values)));
    const classNames = items.map(({ className }) => className);
    const published = publishedByClasses(classNames, expected?.name ?? name);
    const scan = await this.#scan(split);
    const set: DataSet = {
      name,
      root: fence.root,
      layout,
      layoutReason: reason,
      ...(published === undefined ? {} : { published: published.name }),
      split,
      items,
      warnings: [...reading.warnings, ...warnings, ...this.#unmetLabels()],
      ...(reading.defects === undefined ? {} : { defects: reading.defects }),
      scan,
    };
    return { set, faults };
  }

  /** Once both splits were read, for the first that is opened. */
  #unmetLabels(): string[] {
    if (this.#hasToldLabels) return [];
    this.#hasToldLabels = true;
    const { idleLabels, tree, name } = this.#found;
    return idleLabels === undefined ? tree.labels.unmet(name) : [idleLabels];
  }

  async account(): Promise<ScanReport> {
    return this.#accountOf(['test', 'train'], []);
  }

  /** An index is looked at alone: what lies beside it is for `data check` to say. */
  async #scan(split: Split): Promise<ScanReport> {
    if (this.#found.reasonFor) return this.#accountOf([split], [split === 'test' ? 'train' : 'test']);
    const { entries } = await this.#read(split);
    return {
      pictures: entries.length,
      masks: new Set(entries.flatMap(({ maskPaths }) => maskPaths)).size,
      leftOut: [],
    };
  }

  async #accountOf(splits: readonly Split[], otherSplits: readonly Split[]): Promise<ScanReport> {
    const { tree, fence, reasonFor } = this.#found;
    const read = await Promise.all(splits.map((split) => this.#read(split)));
    const others = await Promise.all(otherSplits.map((split) => this.#read(split)));
    const entries = read.flatMap((reading) => reading.entries);
    const taken = {
      entries,
      others: others.flatMap((reading) => reading.entries),
      consulted: [...read, ...others].flatMap(({ consulted = [] }) => consulted),
    };
    if (reasonFor) return accountOfTree(tree, { ...taken, reasonFor });
    const paths = entries.flatMap(({ imagePath, maskPaths }) => [imagePath, ...maskPaths]);
    const below = entries.map((entry) => ({
      ...entry,
      imagePath: fence.below(entry.imagePath) ?? entry.imagePath,
      maskPaths: entry.maskPaths.map((path) => fence.below(path) ?? path),
    }));
    return accountOfTree(tree, {
      ...taken,
      entries: below,
      consulted: ['meta.json'],
      reasonFor: () => 'not-in-index',
      // An index may lie above many other folders.
      within: new Set(paths.map((path) => (fence.below(path) ?? '').split('/')[0]!)),
    });
  }

  /** A layout that opens labels to tell normal from anomalous does so once. */
  #read(split: Split): Promise<EntryReading> {
    let reading = this.#readings.get(split);
    if (reading === undefined) {
      reading = this.#found.read(split);
      this.#readings.set(split, reading);
    }
    return reading;
  }
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
