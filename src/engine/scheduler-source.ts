/** Reads a source of inputs one entry ahead, and tells at any time whether that entry is there. */
import { wrongValue } from '../options/check.js';
import { type PictureItem, type StreamEntry, toItem } from './picture-item.js';

/** A list or stream of pictures. A text is no such, though it can be iterated: each letter would be taken for a path. */
export type Source = (Iterable<StreamEntry> & { readonly charAt?: never }) | AsyncIterable<StreamEntry>;

/** @throws CraneError E_USAGE for one picture, or for nothing that can be iterated */
export function checkSource(source: unknown): void {
  const isIterable =
    typeof source === 'object' &&
    source !== null &&
    !ArrayBuffer.isView(source) &&
    !(source instanceof String) &&
    (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!isIterable) throw wrongValue('a list or stream of pictures', 'the source', source);
}

type Outcome = { kind: 'entry'; item: PictureItem } | { kind: 'end' } | { kind: 'failed'; reason: unknown };

export class SourceReader {
  readonly #iterator: AsyncIterator<StreamEntry> | Iterator<StreamEntry>;
  readonly #onRead: () => void;
  #reading: Promise<void> | undefined;
  #outcome: Outcome | undefined;

  /** @param onRead called when a read that was waited for in vain has come to its end */
  constructor(source: Source, onRead: () => void) {
    this.#onRead = onRead;
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Nothing comes any more; why, tells `failure`. */
  get isAtEnd(): boolean {
    return this.#outcome !== undefined && this.#outcome.kind !== 'entry';
  }

  /** What the source threw. */
  get failure(): { reason: unknown } | undefined {
    return this.#outcome?.kind === 'failed' ? this.#outcome : undefined;
  }

  /** The next entry if the source has it at hand; undefined: it is at its end, or lets us wait (`onRead` tells). */
  async take(): Promise<PictureItem | undefined> {
    if (this.#outcome === undefined && this.#reading === undefined) {
      this.#reading = this.#read();
      // Whatever needs no input or output answers within one turn of the event loop.
      await Promise.race([this.#reading, new Promise(setImmediate)]);
    }
    if (this.#outcome?.kind !== 'entry') return undefined;
    const { item } = this.#outcome;
    this.#outcome = undefined;
    return item;
  }

  /** Lets the source go. Not awaited while a read is under way: that one may never end. */
  async close(): Promise<void> {
    if (this.isAtEnd) return;
    const closing = Promise.resolve(this.#iterator.return?.());
    if (this.#reading === undefined) await closing;
    else closing.catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      const next = await this.#iterator.next();
      this.#outcome = next.done ? { kind: 'end' } : { kind: 'entry', item: toItem(await next.value) };
    } catch (reason) {
      this.#outcome = { kind: 'failed', reason };
    }
    this.#reading = undefined;
    this.#onRead();
  }
}
