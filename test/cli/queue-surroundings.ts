/** What the queue is tried against: a Redis that is killed and comes back, workers that are killed, a disk that fills up. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { root } from './crane-native.js';

export const hasRedis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].some((path) =>
  existsSync(path),
);

/** A server whose every write is on the disk before it is answered. */
export class RedisServer {
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly folder: string,
  ) {}

  static async start(folder: string): Promise<RedisServer> {
    await mkdir(folder, { recursive: true });
    const server = new RedisServer(await freePort(), folder);
    await server.#run();
    return server;
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    await this.stop('SIGKILL');
    await this.#run();
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((done) => running.once('exit', done));
    running.kill(signal);
    await ended;
  }

  async #run(): Promise<void> {
    const flags = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--dir', this.folder];
    this.#process = spawn('redis-server', ['--port', String(this.port), '--bind', '127.0.0.1', ...flags], {
      stdio: 'ignore',
    });
    const client = new Redis(this.address, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => {});
    // Until its log is read it answers LOADING.
    for (;;) {
      try {
        await client.ping();
        break;
      } catch {
        await new Promise((done) => setTimeout(done, 50));
      }
    }
    client.disconnect();
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

export interface RunningWorker {
  process: ChildProcess;
  ended: Promise<number | null>;
  said(): string;
}

export function startWorker(args: string[], env: NodeJS.ProcessEnv = {}): RunningWorker {
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'worker', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { process: child, ended, said: () => text };
}

/** Workers, those that were killed too. */
export class Fleet {
  readonly #all: RunningWorker[] = [];
  #running: RunningWorker[] = [];

  constructor(
    readonly args: string[],
    readonly env: NodeJS.ProcessEnv = {},
  ) {}

  start(count: number): void {
    for (let each = 0; each < count; each++) {
      const worker = startWorker(this.args, this.env);
      this.#all.push(worker);
      this.#running.push(worker);
    }
  }

  async kill(which: number): Promise<void> {
    const [worker] = this.#running.splice(which % this.#running.length, 1);
    worker!.process.kill('SIGKILL');
    await worker!.ended;
  }

  /** Until one of them says so. */
  async untilSaid(words: string): Promise<void> {
    const until = Date.now() + 60_000;
    while (!this.#all.some((worker) => worker.said().includes(words))) {
      if (Date.now() > until) throw new Error(`no worker said: ${words}\n${this.#all.at(-1)!.said()}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async end(): Promise<void> {
    for (const { process: child } of this.#running) child.kill('SIGTERM');
    await Promise.all(this.#running.map(({ ended }) => ended));
    this.#running = [];
  }
}

/** A disk of its own of a few MB; undefined where this may not be mounted. */
export function smallDisk(folder: string, megabytes: number): { unmount(): void } | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
    return { unmount: () => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }) };
  } catch {
    return undefined;
  }
}

/** Fills a disk to its last byte. @returns the file that does it */
export async function fillDisk(folder: string): Promise<string> {
  const path = join(folder, 'filler');
  for (let size = 2 ** 20; size >= 1; size = Math.floor(size / 2)) {
    for (;;) {
      try {
        await writeFile(path, Buffer.alloc(size), { flag: 'a' });
      } catch {
        break;
      }
    }
  }
  return path;
}
