/** Runs the built command line as a user would, optionally as another user. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** CRANE_TIMES_SLOWER: limits of time where everything is slower, as under sanitizers (scripts/fire.mjs asan). */
export const timesSlower = Number(process.env['CRANE_TIMES_SLOWER'] ?? 1);
export const samples = join(root, 'models', 'crane-mini', 'samples');
const main = join(root, 'dist', 'cli', 'main.js');

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  stdin?: Buffer | string;
  /** killed (SIGKILL) once its standard error matches */
  killAt?: RegExp;
}

/**
 * `node dist/cli/main.js ...args`. In a process that has run other commands where it can be, since more than half of a command's time
 * is the start of its process.
 * @param alone in a process of its own: what is tried is how one starts, ends, or is killed. CRANE_ALONE=1 asks it for all
 */
export function craneNative(
  args: string[],
  { alone = process.env['CRANE_ALONE'] === '1', ...options }: RunOptions & { alone?: boolean } = {},
): Promise<Finished> {
  const { cwd = root, env = {}, uid, stdin, killAt } = options;
  const needsItsOwn = alone || uid !== undefined || stdin !== undefined || killAt !== undefined;
  return needsItsOwn || warm?.isBusy
    ? run(process.execPath, [main, ...args], options)
    : warmProcess(env).run(args, cwd);
}

interface WarmProcess {
  readonly isBusy: boolean;
  run(args: string[], folder: string): Promise<Finished>;
}

let warm: (WarmProcess & { environment: string; end(): void }) | undefined;

/** The one of this test file, another one where the environment is another. */
function warmProcess(env: NodeJS.ProcessEnv): WarmProcess {
  const environment = JSON.stringify(env);
  if (warm?.environment === environment) return warm;
  warm?.end();
  const child = fork(join(root, 'test', 'cli', 'warm-process.mjs'), {
    env: { ...process.env, NO_COLOR: '1', ...env },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let isBusy = false;
  const started = {
    environment,
    get isBusy() {
      return isBusy;
    },
    async run(args: string[], folder: string): Promise<Finished> {
      isBusy = true;
      try {
        return await answerOf(child, { args, folder });
      } finally {
        isBusy = false;
      }
    },
    end: () => child.disconnect(),
  };
  child.once('exit', () => {
    if (warm === started) warm = undefined;
  });
  warm = started;
  return started;
}

/** Of a process that ended instead: how, and what it had written by itself. */
function answerOf(child: ChildProcess, order: { args: string[]; folder: string }): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const written = { stdout: '', stderr: '' };
    const listeners = (['stdout', 'stderr'] as const).map((name) => {
      const note = (chunk: Buffer) => {
        written[name] += chunk;
      };
      child[name]!.on('data', note);
      return () => child[name]!.off('data', note);
    });
    const over = (finished: Finished) => {
      for (const forget of listeners) forget();
      child.off('close', ended).off('error', reject);
      resolve({
        ...finished,
        stdout: written.stdout + finished.stdout,
        stderr: written.stderr + finished.stderr,
      });
    };
    const ended = (code: number | null, signal: NodeJS.Signals | null) =>
      over({ code, signal, stdout: '', stderr: '' });
    child.on('close', ended).on('error', reject);
    child.once('message', (answer: Omit<Finished, 'signal'>) => over({ ...answer, signal: null }));
    child.send(order);
  });
}

export function run(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
      if (options.killAt?.test(stderr)) child.kill('SIGKILL');
    });
    child.stdin?.end(options.stdin);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The JSON lines of a run. */
export function lines(finished: Finished): Record<string, unknown>[] {
  return finished.stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A folder of its own, with a space and an umlaut in its name, removed afterwards. */
export async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'crane prüfen-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
