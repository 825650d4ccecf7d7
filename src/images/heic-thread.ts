/**
 * HEIC is decoded on a thread of its own, since its decoder (WebAssembly) would hold the caller's for seconds. It is started for
 * the first picture, keeps no process alive unless a picture is asked for, and ends when none was for some seconds.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CraneError, isErrorCode } from '../errors.js';
import { packageRoot } from '../files/package-root.js';
import { type HeicFacts, type OpenHeic, openHeic } from './heic-decoder.js';

export type HeicOrder =
  | { step: 'open'; id: number; name: string; bytes: Uint8Array<ArrayBuffer> }
  | { step: 'decode'; id: number }
  | { step: 'close'; id: number };

export type HeicAnswer =
  | { id: number; facts: HeicFacts }
  | { id: number; data: Uint8Array | Uint16Array }
  | { id: number; error: { code: string; message: string; hint?: string } };

/** Starting it and its WebAssembly takes tenths of a second; idle it holds some tens of MB. */
const k_idleMs = 10_000;

const k_entry = join(packageRoot, 'dist', 'images', 'heic-worker.js');

interface Waiting {
  resolve(answer: HeicAnswer): void;
  reject(error: CraneError): void;
}

class HeicThread {
  readonly #worker = new Worker(k_entry, { execArgv: [], name: 'crane-native HEIC' });
  readonly #waiting = new Map<number, Waiting>();
  /** files that are open there */
  #open = 0;
  #next = 0;
  #idle: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (answer: HeicAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) this.#worker.unref();
      if ('error' in answer) waiting?.reject(errorOf(answer.error));
      else waiting?.resolve(answer);
    });
    this.#worker.on('error', (cause: Error & { code?: string }) => this.#end(cause));
    this.#worker.on('exit', () => this.#end());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param bytes are given away */
  async open(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<OpenHeic> {
    const id = this.#next++;
    clearTimeout(this.#idle);
    this.#open++;
    try {
      const { facts } = await this.#ask<{ facts: HeicFacts }>({ step: 'open', id, name, bytes }, [
        bytes.buffer,
      ]);
      return {
        facts,
        decode: async () =>
          (await this.#ask<{ data: Uint8Array | Uint16Array }>({ step: 'decode', id })).data,
        close: () => {
          if (!this.#isOver) this.#worker.postMessage({ step: 'close', id } satisfies HeicOrder);
          this.#closed();
        },
      };
    } catch (thrown) {
      this.#closed();
      throw thrown;
    }
  }

  #closed(): void {
    this.#open--;
    if (this.#open > 0 || this.#isOver) return;
    this.#idle = setTimeout(() => {
      this.#isOver = true;
      void this.#worker.terminate();
    }, k_idleMs).unref();
  }

  #ask<Answer>(order: HeicOrder, given: ArrayBuffer[] = []): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(ended());
      this.#waiting.set(order.id, { resolve: (answer) => resolve(answer as Answer), reject });
      this.#worker.ref();
      this.#worker.postMessage(order, given);
    });
  }

  #end(cause?: Error & { code?: string }): void {
    this.#isOver = true;
    clearTimeout(this.#idle);
    for (const { reject } of this.#waiting.values()) reject(ended(cause));
    this.#waiting.clear();
  }
}

function ended(cause?: Error & { code?: string }): CraneError {
  const isMemory = cause?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const why = cause ? `: ${cause.message}` : '';
  return new CraneError(isMemory ? 'E_MEMORY' : 'E_INTERNAL', `the thread that decodes HEIC ended${why}`, {
    cause,
  });
}

function errorOf({ code, message, hint }: { code: string; message: string; hint?: string }): CraneError {
  return new CraneError(isErrorCode(code) ? code : 'E_INTERNAL', message, { hint });
}

let thread: HeicThread | undefined;

/**
 * On this thread where the other has no file of its own: in one that a bundler made of all, and in sources that are not compiled.
 * @param bytes are given away
 */
export async function openHeicElsewhere(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<OpenHeic> {
  if (thread?.isOver !== false) {
    if (!existsSync(k_entry)) return openHeic(name, bytes);
    thread = new HeicThread();
  }
  return thread.open(name, bytes);
}
