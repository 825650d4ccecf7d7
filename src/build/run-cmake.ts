/** Runs cmake-js and keeps its whole output in build/build.log; its steps are shown as a few lines. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { CraneError } from '../errors.js';
import { rebuildCommand } from '../files/package-root.js';
import { codedWriteError } from '../files/write-whole.js';

const require = createRequire(import.meta.url);

export interface CmakeRun {
  command: 'configure' | 'build';
  /** folder of CMakeLists.txt */
  source: string;
  out: string;
  logFile: string;
  /** -D options */
  definitions: Record<string, string>;
  generator: string | undefined;
  jobs: number;
  targets: string[];
}

/**
 * Rejects with E_BUILD that quotes the compiler's first error lines, and with E_IO_WRITE where the log cannot be
 * written. cmake-js is called through its command line: it downloads nothing, since the package's
 * "binary.napi_versions" makes it use node-api-headers.
 */
export async function runCmake(run: CmakeRun): Promise<void> {
  const program = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const args = [program, run.command, '--directory', run.source, '--out', run.out, '--log-level', 'warn'];
  if (run.generator) args.push('--generator', run.generator);
  if (run.command === 'build') args.push('--parallel', String(run.jobs));
  for (const [name, value] of Object.entries(run.definitions)) args.push(`--CD${name}=${value}`);
  if (run.command === 'build') for (const target of run.targets) args.push('--target', target);

  const problems = new ProblemLines();
  const status = await runLogged([process.execPath, ...args], run.logFile, (line) => problems.see(line));
  if (status === 0) return;
  const quoted = problems.lines.length > 0 ? `\n${problems.lines.map((line) => `  ${line}`).join('\n')}` : '';
  throw new CraneError('E_BUILD', `cmake ${run.command} ended with ${status}${quoted}`, {
    hint: problems.lines.some((line) => /Killed/.test(line))
      ? `the compiler ran out of memory: CMAKE_BUILD_PARALLEL_LEVEL=1 ${rebuildCommand()}`
      : `the whole output is in ${run.logFile}`,
  });
}

/** @returns the exit code, or the signal that ended it. @throws CraneError E_IO_WRITE: then the program was ended */
export async function runLogged(
  [program, ...args]: [string, ...string[]],
  logFile: string,
  see: (line: string) => void,
): Promise<number | string> {
  const log = createWriteStream(logFile, { flags: 'a' });
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  const outputs = [child.stdout, child.stderr];
  // A full disk shows while nobody waits for the log. Compilers below the program end when they find nobody to write to.
  log.on('error', () => {
    child.kill();
    for (const output of outputs) output.destroy();
  });
  log.write(`\n# ${[program, ...args].join(' ')}\n`);
  for (const input of outputs) {
    createInterface({ input }).on('line', (line) => {
      log.write(`${line}\n`);
      see(line);
    });
  }
  try {
    return await new Promise<number | string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? signal ?? 1));
    });
  } finally {
    log.end();
    await finished(log).catch((cause: unknown) => {
      throw codedWriteError(logFile, cause);
    });
  }
}

/** The first lines that say what went wrong. CMake writes its errors as a heading and a paragraph below it. */
class ProblemLines {
  readonly lines: string[] = [];
  #below = 0;

  see(line: string): void {
    if (this.lines.length >= 10) return;
    const isHeading = /CMake Error/.test(line);
    const isProblem = /(^|[\s:])(fatal )?error[\s:]|Killed|undefined reference|No space left/i.test(line);
    if (line.trim() !== '' && (isHeading || isProblem || this.#below > 0)) this.lines.push(line.trim());
    this.#below = isHeading ? 5 : this.#below - 1;
  }
}
