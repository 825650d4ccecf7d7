/**
 * What a watch remembers over restarts: each result by its key, and who has received it. A result is written here before it is
 * delivered, and what was not confirmed is delivered again: at least once, and always with the same key.
 */
import { dirname } from 'node:path';
import { CraneError } from '../../errors.js';
import { claim } from '../../files/folder-lock.js';
import { jsonOf, LineFile, type LinePlace } from '../../files/line-file.js';
import type { HeldLock } from '../../files/lock-file.js';
import { makeFolder } from '../../files/make-folder.js';
import { codedWriteError } from '../../files/write-whole.js';

/** What is delivered: a result with its key. */
export interface Delivery {
  key: string;
  [field: string]: unknown;
}

/** A result that somebody is still to receive: its words stay on the disk until then. */
export interface KeptResult {
  key: string;
  place: LinePlace;
}

type Line = { result: Delivery } | { key: string; receiver: string };

export class WatchJournal {
  readonly #file: LineFile;
  readonly #lock: HeldLock;
  readonly #path: string;
  readonly #keys: Set<string>;
  readonly #open: ReadonlyMap<string, readonly KeptResult[]>;
  readonly #judged: readonly JudgedResults[];

  private constructor(
    file: LineFile,
    lock: HeldLock,
    path: string,
    keys: Set<string>,
    open: ReadonlyMap<string, readonly KeptResult[]>,
    judged: readonly JudgedResults[],
  ) {
    this.#judged = judged;
    this.#file = file;
    this.#lock = lock;
    this.#path = path;
    this.#keys = keys;
    this.#open = open;
  }

  /**
   * Of results that all receivers have, only the keys are held. A last line that a killed process did not finish is cut off.
   * @throws CraneError E_IN_USE, E_IO_READ, E_IO_WRITE
   */
  static async open(path: string, receivers: readonly string[]): Promise<WatchJournal> {
    let lock: HeldLock | undefined;
    try {
      await makeFolder(dirname(path));
      lock = await claim(path, `${path}.lock`, '--state');
      const keys = new Set<string>();
      const judged = new JudgedTally();
      const open = new Map(receivers.map((name) => [name, new Map<string, KeptResult>()]));
      const file = await LineFile.open(path, ({ text, number, at, bytes }) => {
        const line = parse(text, path, number);
        if (!('result' in line)) {
          open.get(line.receiver)?.delete(line.key);
          return;
        }
        const { key } = line.result;
        if (keys.has(key)) return;
        keys.add(key);
        judged.add(line.result);
        for (const waiting of open.values()) waiting.set(key, { key, place: { at, bytes } });
      });
      const lists = [...open].map(([name, waiting]) => [name, [...waiting.values()]] as const);
      return new WatchJournal(file, lock, path, keys, new Map(lists), judged.all);
    } catch (thrown) {
      await lock?.release();
      throw codedWriteError(path, thrown, '--state');
    }
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** How many results of this model (WatchJournal's keys end with it) were judged by other thresholds when the journal was opened. */
  judgedOtherwise(model: string, threshold: number | null): JudgedResults[] {
    return this.#judged.filter((each) => each.model === model && each.threshold !== threshold);
  }

  /** Results that this receiver had not confirmed when the journal was opened, in the order in which they came. */
  openFor(receiver: string): readonly KeptResult[] {
    return this.#open.get(receiver) ?? [];
  }

  /** On the disk when it resolves; as if it had not been called when it rejects. @throws CraneError E_IO_WRITE */
  async addResult(result: Delivery): Promise<KeptResult> {
    const place = await this.#append({ result }, true);
    this.#keys.add(result.key);
    return { key: result.key, place };
  }

  /** A line that is lost means one delivery more, which its key tells. @throws CraneError E_IO_WRITE */
  async addReceipt(key: string, receiver: string): Promise<void> {
    await this.#append({ key, receiver }, false);
  }

  /** @throws CraneError E_IO_READ */
  async read({ key, place }: KeptResult): Promise<Delivery> {
    try {
      const { result } = jsonOf(await this.#file.read(place)) as { result: Delivery };
      if (result.key === key) return result;
    } catch (cause) {
      throw new CraneError('E_IO_READ', `${this.#path}: ${(cause as Error).message}`, { cause });
    }
    throw new CraneError('E_IO_READ', `${this.#path}: somebody else has written to it`);
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#lock.release();
  }

  async #append(line: Line, isSynced: boolean): Promise<LinePlace> {
    try {
      return await this.#file.append(JSON.stringify(line), isSynced);
    } catch (thrown) {
      throw codedWriteError(this.#path, thrown, '--state');
    }
  }
}

export interface JudgedResults {
  model: string;
  threshold: number | null;
  count: number;
}

class JudgedTally {
  readonly #counts = new Map<string, JudgedResults>();

  add({ key, threshold }: Delivery): void {
    // Of a failed picture, or a line of somebody else.
    if (threshold !== null && typeof threshold !== 'number') return;
    const model = key.slice(key.indexOf(':') + 1);
    const name = JSON.stringify([model, threshold]);
    const known = this.#counts.get(name);
    if (known) known.count++;
    else this.#counts.set(name, { model, threshold, count: 1 });
  }

  get all(): JudgedResults[] {
    return [...this.#counts.values()];
  }
}

function parse(line: Buffer, path: string, number: number): Line {
  try {
    const { result, key, receiver } = jsonOf(line) as {
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
