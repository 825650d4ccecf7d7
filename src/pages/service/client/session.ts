/** The pictures of this visit: sent a few at a time, sent again where the service is full, kept in this tab alone. */
import { Refusal, type Result, type ScoreMap, score } from './api.js';
import type { Choice } from './choice.js';

export interface Item {
  id: number;
  name: string;
  file: Blob;
  url: string;
  state: 'waiting' | 'sent' | 'done' | 'failed';
  result?: Result;
  map?: ScoreMap;
  /** what it was compared with */
  by?: Choice;
  error?: string;
}

const k_atOnce = 4;
const k_tries = 20;

export class Session {
  readonly #changed: (items: readonly Item[]) => void;
  readonly #needsToken: () => void;
  #items: Item[] = [];
  #choice: Choice | undefined;
  #nextId = 1;
  #sending = 0;
  readonly #cancels = new Map<number, AbortController>();

  constructor(changed: (items: readonly Item[]) => void, needsToken: () => void) {
    this.#changed = changed;
    this.#needsToken = needsToken;
  }

  /** Also what was not sent yet is sent with it. */
  choose(choice: Choice): void {
    this.#choice = choice;
    this.#send();
  }

  add(files: readonly { name: string; file: Blob }[]): Item[] {
    const added = files.map(({ name, file }) => {
      const id = this.#nextId++;
      return { id, name, file, url: URL.createObjectURL(file), state: 'waiting' as const };
    });
    this.#items = [...added.toReversed(), ...this.#items];
    this.#changed(this.#items);
    this.#send();
    return added;
  }

  /** All of them, with what is chosen now. */
  again(): void {
    this.#items = this.#items.map(({ id, name, file, url, state, ...scored }) =>
      state === 'sent'
        ? { id, name, file, url, state, ...scored }
        : { id, name, file, url, state: 'waiting' as const },
    );
    this.#changed(this.#items);
    this.#send();
  }

  clear(): void {
    for (const { url } of this.#items) URL.revokeObjectURL(url);
    for (const cancel of this.#cancels.values()) cancel.abort();
    this.#items = [];
    this.#changed(this.#items);
  }

  #change(id: number, change: Partial<Item>): void {
    this.#items = this.#items.map((item) => (item.id === id ? { ...item, ...change } : item));
    this.#changed(this.#items);
  }

  #send(): void {
    while (this.#choice && this.#sending < k_atOnce) {
      const next = this.#items.findLast(({ state }) => state === 'waiting');
      if (!next) return;
      this.#sending++;
      this.#change(next.id, { state: 'sent' });
      void this.#scoreOne(next, this.#choice).finally(() => {
        this.#sending--;
        this.#send();
      });
    }
  }

  async #scoreOne({ id, file }: Item, choice: Choice): Promise<void> {
    const cancel = new AbortController();
    this.#cancels.set(id, cancel);
    try {
      for (let tries = 1; ; tries++) {
        try {
          const done = await score(file, choice, cancel.signal);
          this.#change(id, { state: 'done', by: choice, ...done });
          return;
        } catch (thrown) {
          const retryMs = thrown instanceof Refusal && tries < k_tries ? thrown.retryMs : null;
          if (retryMs === null) throw thrown;
          await new Promise((resolve) => setTimeout(resolve, retryMs));
        }
      }
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.status === 401) {
        this.#choice = undefined;
        this.#change(id, { state: 'waiting' });
        this.#needsToken();
      } else this.#change(id, { state: 'failed', error: (thrown as Error).message });
    } finally {
      this.#cancels.delete(id);
    }
  }
}
