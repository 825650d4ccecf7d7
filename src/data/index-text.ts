/** The text of meta.json, unless it could not be read again. */
import { CraneError, toCraneError } from '../errors.js';
import type { DataItem, Split } from './data-set.js';
import { k_maxIndexBytes, k_maxIndexEntries, parseMeta } from './meta-read.js';
import { type MetaOptions, metaText } from './meta-write.js';

/** @param root of the pictures; @throws CraneError E_DATA_META for what no index can hold, E_USAGE */
export function indexText(
  file: string,
  items: Record<Split, readonly DataItem[]>,
  root: string,
  options: MetaOptions,
): string {
  // Before a text of all of them is made, which may be longer than any text can be.
  for (const [split, { length }] of Object.entries(items))
    if (length > k_maxIndexEntries)
      throw unreadable(
        file,
        `${length} pictures of the ${split} split, at most ${k_maxIndexEntries} are read`,
      );
  const text = metaText(items, root, options);
  const bytes = Buffer.byteLength(text);
  if (bytes > k_maxIndexBytes) throw unreadable(file, `${bytes} bytes, at most ${k_maxIndexBytes} are read`);
  try {
    const index = parseMeta(text, file);
    for (const split of ['test', 'train'] as const) index.read(split);
  } catch (thrown) {
    throw unreadable(toCraneError(thrown).message, 'it could not be read again', thrown);
  }
  return text;
}

function unreadable(what: string, why: string, cause?: unknown): CraneError {
  return new CraneError('E_DATA_META', `${what}: ${why}: no index was written`, {
    hint: 'shorten or change what is named, or divide the data set into several',
    cause,
  });
}
