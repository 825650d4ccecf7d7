/** The data sets of a test: opened, named apart, and identified by content. */
import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../cancellation.js';
import type { DataItem, DataSet, Split } from '../data/data-set.js';
import { eachBounded } from '../data/each-bounded.js';
import { openDataSet, refuseTwice } from '../data/open-data-set.js';
import { toCraneError } from '../errors.js';
import { contentHash, k_pictureDigits } from '../files/content-hash.js';
import type { PromptFacts } from '../runs/prompt-facts.js';
import type { LearnedOn } from '../runs/test-run.js';
import { OutputNames } from '../sinks/output-names.js';

/** Files read at once. */
const k_readAtOnce = 4;

export interface TestData {
  set: DataSet;
  /** unique in the run */
  name: string;
  /** the same, fit for a path */
  folder: string;
  classes: TestClass[];
}

export interface TestClass {
  className: string;
  /** in the set's order */
  items: PlacedItem[];
}

export interface PlacedItem extends DataItem {
  /** position in the set */
  index: number;
}

/** Reads no picture. @throws CraneError E_DATA_*, E_USAGE for a set that is given twice */
export async function openTestData(
  paths: readonly string[],
  options: { split: Split; layout: string },
): Promise<TestData[]> {
  const sets: DataSet[] = [];
  for (const path of paths) sets.push(await openDataSet(path, options));
  await refuseTwice(sets);
  const folders = new OutputNames();
  const taken = new Map<string, number>();
  return sets.map((set) => {
    const count = (taken.get(set.name) ?? 0) + 1;
    taken.set(set.name, count);
    return {
      set,
      name: count === 1 ? set.name : `${set.name} (${count})`,
      folder: folders.claim(set.name),
      classes: classesOf(set),
    };
  });
}

function classesOf({ items }: DataSet): TestClass[] {
  const byName = new Map<string, PlacedItem[]>();
  for (const [index, item] of items.entries()) {
    const placed = { ...item, index };
    const others = byName.get(item.className);
    if (others) others.push(placed);
    else byName.set(item.className, [placed]);
  }
  return [...byName].map(([className, ofClass]) => ({ className, items: ofClass }));
}

/** What a data set is, as far as it decides figures. */
export interface DataIdentity {
  name: string;
  split: Split;
  pictures: number;
  masks: number;
  hash: string;
}

export interface IdentifiedSet {
  identity: DataIdentity;
  learnedOn: LearnedOn | null;
}

/** A file that cannot be read is part of the identity as such: its picture fails later, and is told then. */
export async function identify(
  { set, name }: TestData,
  prompts: PromptFacts,
  onRead: () => void,
  signal: AbortSignal | undefined,
): Promise<IdentifiedSet> {
  const hash = createHash('sha256');
  const { items } = set;
  let known = 0;
  const read = await eachBounded(items, k_readAtOnce, async (item) => {
    throwIfCancelled(signal);
    const found = await contentOf(item);
    onRead();
    return found;
  });
  for (const { content, line } of read) {
    hash.update(`${line}\n`);
    if (prompts.learnedPictures?.has(content.slice(0, k_pictureDigits))) known++;
  }
  const masks = items.filter(({ isAnomalous, mask }) => isAnomalous && mask !== null).length;
  return {
    identity: { name, split: set.split, pictures: items.length, masks, hash: hash.digest('hex') },
    learnedOn: learnedOnSet(set, prompts, known),
  };
}

async function contentOf(item: DataItem): Promise<{ content: string; line: string }> {
  const { imagePath, image, isAnomalous, mask, className, kind } = item;
  const content = await hashOrFault(image);
  // Masks of normal pictures are not looked at (method.md 2).
  const ofMask = isAnomalous && mask !== null ? await hashOrFault(mask) : null;
  return { content, line: JSON.stringify([imagePath, content, isAnomalous, className, kind, ofMask]) };
}

function hashOrFault(path: string): Promise<string> {
  return contentHash(path).catch((thrown: unknown) => toCraneError(thrown).code);
}

function learnedOnSet(set: DataSet, { learnedOn }: PromptFacts, known: number): LearnedOn | null {
  const names = [set.published, set.name].flatMap((name) => (name === undefined ? [] : name.toLowerCase()));
  const equal = learnedOn?.filter((name) => names.includes(name.toLowerCase())) ?? [];
  if (known > 0) return { why: 'content', detail: `${known} of its ${set.items.length} pictures` };
  return equal.length > 0 ? { why: 'name', detail: equal.join(', ') } : null;
}
