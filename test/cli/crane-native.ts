/** Runs the built command line as a user would, optionally as another user. */
import { spawn } from 'node:child_process';
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

/** `node dist/cli/main.js ...args` */
export function craneNative(args: string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [main, ...args], options);
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
