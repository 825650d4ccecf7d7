/** Reads a source of inputs one entry ahead, and tells at any time whether that entry is there. */
import type { PictureInput } from '../images/picture-input.js';
import type { PictureItem } from './picture-item.js';

export type Entry = PictureInput | PictureItem;
export type Source = Iterable<Entry> | AsyncIterable<Entry>;

type Outcome = { kind: 'entry'; entry: Entry } | { kind: 'end' } | { kind: 'failed'; reason: unknown };

export class SourceReader {
  private readonly iterator_: AsyncIterator<Entry> | Iterator<Entry>;
  private reading_: Promise<void> | undefined;
  private outcome_: Outcome | undefined;

  /** @param onRead called when a read that was waited for in vain has come to its end */
  constructor(
    source: Source,
    private readonly onRead: () => void,
  ) {
    this.iterator_ =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Nothing comes any more; why, tells `failure`. */
  get isAtEnd(): boolean {
    return this.outcome_ !== undefined && this.outcome_.kind !== 'entry';
  }

  /** What the source threw. */
  get failure(): { reason: unknown } | undefined {
    return this.outcome_?.kind === 'failed' ? this.outcome_ : undefined;
  }

  /** The next entry if the source has it at hand; undefined: it is at its end, or lets us wait (`onRead` tells). */
  async take(): Promise<{ entry: Entry } | undefined> {
    if (this.outcome_ === undefined && this.reading_ === undefined) {
      this.reading_ = this.read();
      // Whatever needs no input or output answers within one turn of the event loop.
      await Promise.race([this.reading_, new Promise(setImmediate)]);
    }
    if (this.outcome_?.kind !== 'entry') return undefined;
    const { entry } = this.outcome_;
    this.outcome_ = undefined;
    return { entry };
  }

  /** Lets the source go. Not awaited while a read is under way: that one may never end. */
  async close(): Promise<void> {
    if (this.isAtEnd) return;
    const closing = Promise.resolve(this.iterator_.return?.());
    if (this.reading_ === undefined) await closing;
    else closing.catch(() => {});
  }

  private async read(): Promise<void> {
    try {
      const next = await this.iterator_.next();
      this.outcome_ = next.done ? { kind: 'end' } : { kind: 'entry', entry: await next.value };
    } catch (reason) {
      this.outcome_ = { kind: 'failed', reason };
    }
    this.reading_ = undefined;
    this.onRead();
  }
}
