/** A process that is asked line by line. Whatever it does wrong becomes one error with the code E_BENCH_PEER. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CraneError } from '../errors.js';
import { answerSchema, type PeerAnswer, type Question } from './protocol.js';

export interface Command {
  program: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/** Kept of what it says on stderr, from the end. */
const k_keptCharacters = 4000;
const k_shownLine = 200;

export class AskedProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  #stderr = '';
  #waiting: { resolve(line: string): void; reject(error: CraneError): void } | undefined;
  #ended: CraneError | undefined;
  readonly #closed: Promise<void>;

  constructor(name: string, { program, args, env }: Command) {
    this.#name = name;
    // A process group of its own: Ctrl-C reaches us, and we end it.
    this.#child = spawn(program, args, { env, stdio: 'pipe', detached: true });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-k_keptCharacters);
    });
    // A question to a process that is gone: its end is told by 'close'.
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line));
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (cause: NodeJS.ErrnoException) => {
        const what = cause.code === 'ENOENT' ? `${program} is not there` : cause.message;
        const hint = cause.code === 'ENOENT' ? 'name an interpreter: --python PATH' : undefined;
        this.#end(this.fault(`cannot be started: ${what}`, { hint, cause }));
        resolve();
      });
      this.#child.once('close', (code, signal) => {
        const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
        const last = lastLine(this.#stderr);
        this.#end(this.fault(`ended ${how}${last === '' ? '' : `: ${last}`}`));
        resolve();
      });
    });
  }

  /** @throws CraneError E_BENCH_PEER, after which the process is gone; E_CANCELLED */
  async ask(
    question: Question,
    timeoutMs: number,
    stop: AbortSignal,
  ): Promise<Exclude<PeerAnswer, { error: unknown }>> {
    if (this.#ended) throw this.#ended;
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => this.#fail(new CraneError('E_CANCELLED', 'interrupted'));
    const line = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      timer = setTimeout(
        () => this.#fail(this.fault(`gave no answer within ${Math.round(timeoutMs / 1000)} s`)),
        timeoutMs,
      );
      stop.addEventListener('abort', onAbort, { once: true });
      if (stop.aborted) onAbort();
      else this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    });
    try {
      return this.#understand(await line);
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', onAbort);
    }
  }

  /** Ends it, at once if need be. */
  async close(graceMs = 2000): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#kill(), graceMs);
    await this.#closed;
    clearTimeout(timer);
  }

  fault(what: string, options: { hint?: string | undefined; cause?: unknown } = {}): CraneError {
    return new CraneError('E_BENCH_PEER', `${this.#name} ${what}`, options);
  }

  #understand(line: string): Exclude<PeerAnswer, { error: unknown }> {
    const answer = parse(line);
    if (answer === undefined) {
      throw this.#fail(this.fault(`answered with what is no answer: ${line.slice(0, k_shownLine)}`));
    }
    if ('error' in answer) {
      const { message, hint } = answer.error;
      throw this.#fail(this.fault(`says: ${message}`, { hint }));
    }
    return answer;
  }

  #hear(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(line);
    else this.#fail(this.fault(`spoke unasked: ${line.slice(0, k_shownLine)}`));
  }

  /** What happened first is what is told. */
  #fail(error: CraneError): CraneError {
    this.#end(error);
    this.#kill();
    return error;
  }

  #end(error: CraneError): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }

  /** The whole group, so that nothing that it started stays behind. */
  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // gone in this very moment
    }
  }
}

function parse(line: string): PeerAnswer | undefined {
  try {
    return answerSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, k_shownLine);
}
