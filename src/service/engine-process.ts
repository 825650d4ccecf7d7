/** Starts the process that holds the engines. */
import { spawn } from 'node:child_process';
import { type Duplex, PassThrough } from 'node:stream';
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

/** @throws Error where the system refuses memory for another process */
export function startEngineProcess(): EngineProcess {
  const child = spawn(process.execPath, [...process.execArgv, k_entry], {
    // What native libraries print belongs to the log's stream, never to stdout.
    stdio: ['ignore', 2, 2, 'pipe'],
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // Where no descriptor is left Node makes a child without streams, and tells why afterwards.
  const channel = (child.stdio as typeof child.stdio | undefined)?.[3] as Duplex | undefined;
  if (!channel) return notStarted(ended);
  return { pid: child.pid, channel, ended, kill: () => child.kill('SIGKILL') };
}

/** Engines that ended before they began. */
export function notStarted(ended: Promise<string>): EngineProcess {
  return { pid: undefined, channel: new PassThrough().destroy(), ended, kill: () => {} };
}
