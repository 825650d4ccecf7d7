/** Temporary files as killed processes leave them. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { temporaryBeside } from '../../../src/files/temporary-name.js';

/** The number of a process that is no more. */
export function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

/** A living one, to be ended by the caller. */
export async function livingProcess(): Promise<{ pid: number; end(): Promise<unknown> }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log()']);
  await once(child.stdout, 'data');
  return {
    pid: child.pid!,
    end: () => {
      child.kill();
      return once(child, 'exit');
    },
  };
}

/** Where another process would have written `path`. */
export function temporaryOf(path: string, pid: number): string {
  return join(dirname(path), basename(temporaryBeside(path)).replace(`-${process.pid}-`, `-${pid}-`));
}

/** Begins `path` as a process that was killed. @returns where */
export async function leave(path: string, pid = deadProcess()): Promise<string> {
  const temporary = temporaryOf(path, pid);
  await mkdir(dirname(temporary), { recursive: true });
  await writeFile(temporary, 'half');
  return temporary;
}
