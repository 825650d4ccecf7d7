/**
 * Takes a part of the pictures. Pure and seeded: the same items and seed give the same part. Every class and label
 * has its own stream of random numbers, so that what is taken of one class does not depend on the others.
 */
import { wrongValue } from '../options/check.js';
import type { DataItem } from './data-set.js';
import { SeededGenerator } from './seeded-generator.js';

type Labelled = Pick<DataItem, 'className' | 'isAnomalous'>;

export interface Sampled<T> {
  /** in the order in which they were given */
  items: T[];
  /** classes that have fewer pictures than were wanted, one sentence each */
  warnings: string[];
}

/** 0 to n - 1 in random order. */
export function shuffled(n: number, generator: SeededGenerator): number[] {
  return generator.shuffle(Array.from({ length: n }, (_, index) => index));
}

/**
 * A fraction of the pictures of every class and label: rounded to whole pictures, at least one where there are any.
 * @param portion above 0, at most 1
 */
export function samplePortion<T extends Labelled>(items: readonly T[], portion: number, seed: number): T[] {
  if (!(portion > 0 && portion <= 1)) throw wrongValue('a number above 0, at most 1', 'portion', portion);
  const taken = new Set<number>();
  for (const [stream, indices] of groups(items)) {
    const count = Math.max(1, Math.round(portion * indices.length));
    take(indices, count, SeededGenerator.of(seed, `portion/${stream}`), taken);
  }
  return items.filter((_, index) => taken.has(index));
}

/**
 * k pictures of every class, half of them normal; of an odd k the extra one is anomalous. A class that has fewer
 * gives what it has: its other label does not fill the gap.
 * @param k at least 1
 */
export function sampleKShot<T extends Labelled>(items: readonly T[], k: number, seed: number): Sampled<T> {
  if (!Number.isSafeInteger(k) || k < 1) throw wrongValue('a whole number of at least 1', 'kShot', k);
  const byGroup = groups(items);
  const taken = new Set<number>();
  const warnings: string[] = [];
  for (const className of new Set(items.map((item) => item.className))) {
    for (const isAnomalous of [false, true]) {
      const wanted = isAnomalous ? Math.ceil(k / 2) : Math.floor(k / 2);
      const stream = groupName({ className, isAnomalous });
      const indices = byGroup.get(stream) ?? [];
      take(indices, wanted, SeededGenerator.of(seed, `k-shot/${stream}`), taken);
      if (indices.length < wanted)
        warnings.push(
          `class ${className} has ${indices.length} ${isAnomalous ? 'anomalous' : 'normal'} pictures, ${wanted} were wanted`,
        );
    }
  }
  return { items: items.filter((_, index) => taken.has(index)), warnings };
}

function groups(items: readonly Labelled[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  items.forEach((item, index) => {
    const name = groupName(item);
    const group = found.get(name);
    if (group) group.push(index);
    else found.set(name, [index]);
  });
  return found;
}

function groupName({ className, isAnomalous }: Labelled): string {
  return `${isAnomalous ? 'anomalous' : 'normal'}/${className}`;
}

function take(
  indices: readonly number[],
  count: number,
  generator: SeededGenerator,
  taken: Set<number>,
): void {
  for (const at of shuffled(indices.length, generator).slice(0, count)) taken.add(indices[at]!);
}
