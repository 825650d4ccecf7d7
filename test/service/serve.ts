/** Starts the built service as an operator would, on any free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../cli/crane-native.js';

export interface Served {
  url: string;
  process: ChildProcess;
  /** of the log, so far */
  lines: () => Record<string, unknown>[];
  /** process id of the running engine */
  enginePid: () => number;
  ended: Promise<number | null>;
}

export async function serve(args: string[] = [], cwd = root): Promise<Served> {
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'serve', '--port', '0', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      const line = /^(https?:.*)$/m.exec(stdout)?.[1];
      if (line) resolve(line);
    });
    void ended.then((code) => reject(new Error(`the service ended with ${code}: ${stderr}`)));
  });
  const lines = () =>
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const enginePid = () =>
    lines()
      .filter(({ msg }) => msg === 'the engine is being started')
      .at(-1)!['pid'] as number;
  return { url, process: child, lines, enginePid, ended };
}

export async function stop({ process: child, ended }: Served): Promise<number | null> {
  child.kill('SIGTERM');
  return ended;
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
