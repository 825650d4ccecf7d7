/**
 * Threads for what JavaScript or WebAssembly computes on pixels, which would hold the caller's thread. Started when there is work
 * for them, they keep no process alive unless they have some, and end when they had none for some seconds.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CraneError, isErrorCode } from '../errors.js';
import { type Help, memoryOf, type ThreadAnswer, type ThreadOrder } from './messages.js';

/** Starting one and its WebAssembly takes tenths of a second; idle it holds some tens of MB. */
const k_idleMs = 10_000;
const k_most = 4;

interface Waiting extends Help {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  /** why bytes were refused, as the caller threw it */
  refusal?: unknown;
}

class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #idle: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(entry: string) {
    this.#worker = new Worker(entry, { execArgv: [], name: 'crane-native pixels' });
    this.#worker.unref();
    this.#worker.on('message', (answer: ThreadAnswer) => this.#hear(answer));
    this.#worker.on('error', (cause: Error & { code?: string }) => this.#end(cause));
    this.#worker.on('exit', () => this.#end());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** works under way */
  get load(): number {
    return this.#waiting.size;
  }

  do(order: Omit<ThreadOrder & { step: 'work' }, 'step' | 'id'>, { reserve }: Help): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      clearTimeout(this.#idle);
      this.#waiting.set(id, { resolve, reject, reserve });
      this.#worker.ref();
      try {
        this.#worker.postMessage({ step: 'work', id, ...order } satisfies ThreadOrder, memoryOf(order.given));
      } catch (cause) {
        this.#settle(id);
        throw cause;
      }
    });
  }

  #hear(answer: ThreadAnswer): void {
    const { id } = answer;
    if (answer.step === 'reserve') return void this.#reserve(id, answer.bytes);
    const waiting = this.#settle(id);
    if (answer.step === 'done') waiting?.resolve(answer.result);
    else waiting?.reject(waiting.refusal ?? errorOf(answer.error));
  }

  async #reserve(id: number, bytes: number): Promise<void> {
    const waiting = this.#waiting.get(id);
    try {
      await waiting?.reserve?.(bytes);
      this.#worker.postMessage({ step: 'granted', id } satisfies ThreadOrder);
    } catch (thrown) {
      if (waiting) waiting.refusal = thrown;
      this.#worker.postMessage({ step: 'refused', id } satisfies ThreadOrder);
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0 && !this.#isOver) {
      this.#worker.unref();
      this.#idle = setTimeout(() => {
        this.#isOver = true;
        void this.#worker.terminate();
      }, k_idleMs).unref();
    }
    return waiting;
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
  return new CraneError(isMemory ? 'E_MEMORY' : 'E_INTERNAL', `a thread that reads pictures ended${why}`, {
    cause,
  });
}

function errorOf({ code, message, hint }: { code: string; message: string; hint?: string }): CraneError {
  return new CraneError(isErrorCode(code) ? code : 'E_INTERNAL', message, { hint });
}

/**
 * undefined: works are done where they are asked for. So it is where a thread has no file of its own: in one that a bundler made of
 * all, and in sources that are not compiled.
 */
let entry = ((path: string) => (path.endsWith('.js') && existsSync(path) ? path : undefined))(
  fileURLToPath(new URL('./worker.js', import.meta.url)),
);
let threads: Thread[] = [];

/** From now on works are done on this thread. */
export function workHere(): void {
  entry = undefined;
}

/** The one with the least to do; a new one where all have some. */
function freeThread(path: string): Thread {
  threads = threads.filter(({ isOver }) => !isOver);
  const [least] = [...threads].sort((a, b) => a.load - b.load);
  if (least && (least.load === 0 || threads.length >= Math.min(k_most, availableParallelism()))) return least;
  const thread = new Thread(path);
  threads.push(thread);
  return thread;
}

/** Names of a module's works. */
type NameOf<Module> = { [Key in keyof Module]: Module[Key] extends AnyWork ? Key : never }[keyof Module];
type AnyWork = (given: never, help: Help) => Promise<unknown>;

/**
 * Does a work on a thread of the pool. Typed arrays at the top of what is given go over, and those of the result come back, without
 * a copy: what was given is gone for the caller.
 * @param module of the work, below dist/; what `load` imports
 * @throws what the work throws, as a CraneError; what `reserve` throws; E_MEMORY and E_INTERNAL where the thread ends
 */
export async function inThread<Module, Name extends NameOf<Module> & string>(
  module: string,
  load: () => Promise<Module>,
  name: Name,
  given: Module[Name] extends (given: infer Given, help: Help) => Promise<unknown> ? Given : never,
  help: Help = {},
): Promise<Module[Name] extends AnyWork ? Awaited<ReturnType<Module[Name]>> : never> {
  type Result = Module[Name] extends AnyWork ? Awaited<ReturnType<Module[Name]>> : never;
  if (entry === undefined)
    return ((await (await load())[name]) as AnyWork)(given as never, help) as Promise<Result>;
  const order = { module, name, given, mayReserve: help.reserve !== undefined };
  return (await freeThread(entry).do(order, help)) as Result;
}
