/** The data sets of a test: opened and named apart. */
import type { DataItem, DataSet, Split } from '../data/data-set.js';
import { openDataSets } from '../data/open-data-set.js';
import type { DataChoices } from '../options/types.js';
import { OutputNames } from '../sinks/output-names.js';

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
  { split, layout, reading }: { split: Split; layout: string; reading: DataChoices },
): Promise<TestData[]> {
  const sets = await openDataSets(paths, { ...reading, split, layout });
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
