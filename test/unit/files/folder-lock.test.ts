import { spawn } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFolderLock } from '../../../src/files/folder-lock.js';
import { freshFolder } from '../libtorch/fake-torch.js';

const quiet = () => {};

/** A process that has just ended, so that its number belongs to nobody. */
function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  return new Promise((resolve) => child.on('exit', () => resolve(child.pid!)));
}

describe('the lock of a cache folder', () => {
  it('lets one in at a time', async () => {
    const folder = join(freshFolder(), 'sub', 'cache');
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 5 }, () =>
        withFolderLock(folder, quiet, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 10));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(existsSync(`${folder}.lock`)).toBe(false);
  });

  it('is released when the work fails', async () => {
    const folder = join(freshFolder(), 'cache');
    await expect(withFolderLock(folder, quiet, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(`${folder}.lock`)).toBe(false);
  });

  it('is taken over from a process that was killed', async () => {
    const folder = join(freshFolder(), 'cache');
    writeFileSync(
      `${folder}.lock`,
      JSON.stringify({ pid: await endedProcess(), host: os.hostname(), id: 'x' }),
    );
    expect(await withFolderLock(folder, quiet, async () => 'in')).toBe('in');
  });

  it('is taken over from another machine when it was not renewed for a minute', async () => {
    const folder = join(freshFolder(), 'cache');
    writeFileSync(`${folder}.lock`, JSON.stringify({ pid: process.pid, host: 'elsewhere', id: 'x' }));
    const longAgo = new Date(Date.now() - 90_000);
    utimesSync(`${folder}.lock`, longAgo, longAgo);
    expect(await withFolderLock(folder, quiet, async () => 'in')).toBe('in');
  });

  it('waits for a living process and says for whom', async () => {
    const folder = join(freshFolder(), 'cache');
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 400)']);
    writeFileSync(`${folder}.lock`, JSON.stringify({ pid: child.pid, host: os.hostname(), id: 'x' }));
    const lines: string[] = [];
    await withFolderLock(
      folder,
      (line) => {
        lines.push(line);
      },
      async () => {
        expect(child.exitCode).toBe(0);
        expect(JSON.parse(readFileSync(`${folder}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
      },
    );
    expect(lines).toEqual([expect.stringMatching(new RegExp(`process ${child.pid} on`))]);
  });
});
