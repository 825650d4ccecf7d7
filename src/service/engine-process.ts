/** Starts the process that holds the engines. */
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The running engines as the supervisor sees them. */
export interface EngineProcess {
  pid: number | undefined;
  channel: Duplex;
  /** how it ended, for the log; never rejects */
  ended: Promise<string>;
  kill(): void;
}

const k_entry = fileURLToPath(new URL('./engine-main.js', import.meta.url));

export function startEngineProcess(): EngineProcess {
  const child = spawn(process.execPath, [...process.execArgv, k_entry], {
    // What native libraries print belongs to the log's stream, never to stdout.
    stdio: ['ignore', 2, 2, 'pipe'],
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return {
    pid: child.pid,
    channel: child.stdio[3] as Duplex,
    ended,
    kill: () => child.kill('SIGKILL'),
  };
}
