/** Runs a program to ask it something: output as text, never a throw. */
import { execFile } from 'node:child_process';

export interface ProgramAnswer {
  /** undefined: could not be started; `problem` says why */
  status: number | undefined;
  stdout: string;
  stderr: string;
  problem: string;
}

export function runProgram(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      {
        env: options.env ?? process.env,
        timeout: options.timeoutMs ?? 30_000,
        maxBuffer: 16 << 20,
        windowsHide: true,
      },
      (error, stdout, stderr) => {
        if (!error) return resolve({ status: 0, stdout, stderr, problem: '' });
        const status = typeof error.code === 'number' ? error.code : undefined;
        const problem =
          (error as NodeJS.ErrnoException).code === 'ENOENT'
            ? `${program} is not installed`
            : error.killed
              ? `${program} did not answer in time`
              : lastLine(stderr) || error.message;
        resolve({ status, stdout, stderr, problem });
      },
    );
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
