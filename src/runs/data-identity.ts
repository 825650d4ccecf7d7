/** What a data set is by its content: two runs on equal sets may be compared, and prompts must not have learned on it. */
import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../cancellation.js';
import type { DataItem, DataSet, Split } from '../data/data-set.js';
import { eachBounded } from '../data/each-bounded.js';
import { identityOfValues } from '../data/mask-values.js';
import { toCraneError } from '../errors.js';
import { contentHash, k_pictureDigits } from '../files/content-hash.js';
import type { PromptFacts } from './prompt-facts.js';
import type { LearnedOn } from './test-run.js';

/** Files read at once. */
const k_readAtOnce = 4;

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
  { set, name }: { set: DataSet; name: string },
  prompts: PromptFacts | null,
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
    if (prompts?.learnedPictures?.has(content.slice(0, k_pictureDigits))) known++;
  }
  const masks = items.filter(({ isAnomalous, mask }) => isAnomalous && mask !== null).length;
  return {
    identity: { name, split: set.split, pictures: items.length, masks, hash: hash.digest('hex') },
    learnedOn: prompts && learnedOnSet(set, prompts, known),
  };
}

async function contentOf(item: DataItem): Promise<{ content: string; line: string }> {
  const { imagePath, image, isAnomalous, masks, maskValues, className, kind } = item;
  const content = await hashOrFault(image);
  // Masks of normal pictures are not looked at (method.md 2).
  const ofMasks =
    isAnomalous && masks.length > 0
      ? (await Promise.all(masks.map(hashOrFault))).join('+') + identityOfValues(maskValues)
      : null;
  return { content, line: JSON.stringify([imagePath, content, isAnomalous, className, kind, ofMasks]) };
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
