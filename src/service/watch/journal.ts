/**
 * What a watch remembers over restarts: each result by its key, and who has received it. A result is written here before it is
 * delivered, and what was not confirmed is delivered again: at least once, and always with the same key.
 */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CraneError } from '../../errors.js';
import { makeFolder } from '../../files/make-folder.js';
import { codedWriteError } from '../../files/write-whole.js';

/** What is delivered: a result with its key. */
export interface Delivery {
  key: string;
  [field: string]: unknown;
}

type Line = { result: Delivery } | { key: string; receiver: string };

export class WatchJournal {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #results: Map<string, Delivery>;
  /** receivers of each key */
  readonly #received: Map<string, Set<string>>;

  private constructor(
    file: FileHandle,
    path: string,
    results: Map<string, Delivery>,
    received: Map<string, Set<string>>,
  ) {
    this.#file = file;
    this.#path = path;
    this.#results = results;
    this.#received = received;
  }

  /** A last line that a killed process did not finish is cut off. @throws CraneError E_IO_READ, E_IO_WRITE */
  static async open(path: string): Promise<WatchJournal> {
    try {
      await makeFolder(dirname(path));
      const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code === 'ENOENT') return '';
        throw thrown;
      });
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      const results = new Map<string, Delivery>();
      const received = new Map<string, Set<string>>();
      for (const [at, line] of whole.split('\n').slice(0, -1).entries()) {
        const parsed = parse(line, path, at + 1);
        if ('result' in parsed) results.set(parsed.result.key, parsed.result);
        else received.set(parsed.key, (received.get(parsed.key) ?? new Set()).add(parsed.receiver));
      }
      if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
      return new WatchJournal(await open(path, 'a'), path, results, received);
    } catch (thrown) {
      throw codedWriteError(path, thrown);
    }
  }

  has(key: string): boolean {
    return this.#results.has(key);
  }

  /** Results that this receiver did not confirm, in the order in which they came. */
  openFor(receiver: string): Delivery[] {
    return [...this.#results.values()].filter(({ key }) => !this.#received.get(key)?.has(receiver));
  }

  /** On the disk when it resolves. @throws CraneError E_IO_WRITE */
  async addResult(result: Delivery): Promise<void> {
    await this.#append({ result });
    await this.#file.datasync();
    this.#results.set(result.key, result);
  }

  /** A line that is lost means one delivery more, which its key tells. @throws CraneError E_IO_WRITE */
  async addReceipt(key: string, receiver: string): Promise<void> {
    await this.#append({ key, receiver });
    this.#received.set(key, (this.#received.get(key) ?? new Set()).add(receiver));
  }

  async close(): Promise<void> {
    await this.#file.sync().catch(() => {});
    await this.#file.close();
  }

  async #append(line: Line): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    } catch (thrown) {
      throw codedWriteError(this.#path, thrown);
    }
  }
}

function parse(line: string, path: string, number: number): Line {
  try {
    const { result, key, receiver } = JSON.parse(line) as {
      result?: Delivery;
      key?: string;
      receiver?: string;
    };
    if (typeof result?.key === 'string') return { result };
    if (typeof key === 'string' && typeof receiver === 'string') return { key, receiver };
  } catch {
    // told below
  }
  throw new CraneError('E_IO_READ', `${path}: line ${number} is none of a watch`, {
    hint: 'choose another --state; what was delivered is then delivered again',
  });
}
