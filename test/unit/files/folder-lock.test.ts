import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFolderLock } from '../../../src/files/folder-lock.js';
import { takeLock } from '../../../src/files/lock-file.js';
import { freshFolder } from '../libtorch/fake-torch.js';

const quiet = { log: () => {} };

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

  it('waits for a living process and says for whom', async () => {
    const folder = join(freshFolder(), 'cache');
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 400)']);
    writeFileSync(`${folder}.lock`, JSON.stringify({ pid: child.pid, host: os.hostname(), id: 'x' }));
    const lines: string[] = [];
    await withFolderLock(folder, { log: (line) => void lines.push(line) }, async () => {
      expect(child.exitCode).toBe(0);
      expect(JSON.parse(readFileSync(`${folder}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
    });
    expect(lines).toEqual([expect.stringMatching(new RegExp(`process ${child.pid} on`))]);
  });

  it('waits no longer than its signal says', async () => {
    const folder = join(freshFolder(), 'cache');
    writeFileSync(`${folder}.lock`, JSON.stringify({ pid: process.ppid, host: os.hostname(), id: 'x' }));
    const stop = new AbortController();
    const lines: string[] = [];
    const log = (line: string) => {
      lines.push(line);
      stop.abort();
    };
    const never = () => Promise.reject(new Error('worked without the lock'));
    await expect(withFolderLock(folder, { log, signal: stop.signal }, never)).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
    expect(lines).toHaveLength(1);
  });
});

describe('a lock whose owner may live', () => {
  const leave = (words: object, seconds: number) => {
    const path = join(freshFolder(), 'place.lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: os.hostname(), id: 'x', ...words }));
    const then = new Date(Date.now() - seconds * 1000);
    utimesSync(path, then, then);
    return path;
  };

  it.each([
    ['of another machine, for a minute', { host: 'elsewhere' }, 90],
    ['of a process that had our number before us', {}, 30],
  ])('is taken over once nobody renews it: %s', async (_whose, words, seconds) => {
    const lock = await takeLock(leave(words, seconds), 30);
    expect(lock).toHaveProperty('release');
    if ('release' in lock) await lock.release();
  });

  it.each([
    ['of another machine, for less than a minute', { host: 'elsewhere' }, 30],
    ['of a process that has our number', {}, 0],
  ])('is left to it: %s', async (_whose, words, seconds) => {
    expect(await takeLock(leave(words, seconds), 30)).toMatchObject({ holder: { id: 'x', ...words } });
  });

  it('is left to it where it is renewed while it is watched, as after a machine slept', async () => {
    const path = leave({ host: 'elsewhere' }, 3600);
    // Before the watching ends, on the busiest machine: timers come in the order of their times.
    const renewal = setInterval(() => {
      const now = new Date();
      utimesSync(path, now, now);
    }, 20);
    expect(await takeLock(path, 200)).toMatchObject({ holder: { host: 'elsewhere' } });
    clearInterval(renewal);
  });
});

it('a lock whose words have no room is not left behind', async () => {
  const folder = freshFolder();
  const path = join(folder, 'place.lock');
  const full = await preparedLock(path, 'ulimit -f 0');
  expect(full).toMatch(/^EFBIG /);
  expect(readdirSync(folder)).toEqual([]);
  const whole = await preparedLock(path, 'true');
  expect(whole).toMatch(/^taken /);
});

/** In a process of its own, after a command of the shell. @returns what became of the lock, and the folder's names */
function preparedLock(path: string, command: string): Promise<string> {
  const module = JSON.stringify(new URL('../../../dist/files/lock-file.js', import.meta.url).href);
  const program = `import(${module}).then(({ takeLock }) => takeLock(${JSON.stringify(path)}))
    .then(() => 'taken', (error) => error.code)
    .then((told) => { console.log(told, require('node:fs').readdirSync(${JSON.stringify(dirname(path))}).join()); });`;
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', `${command}; exec '${process.execPath}' -e "$PROGRAM"`], {
      env: { ...process.env, PROGRAM: program },
    });
    let told = '';
    // A limit of no bytes holds for files: what is printed comes through a pipe.
    child.stdout.on('data', (chunk) => {
      told += chunk;
    });
    child.on('close', () => resolve(told));
  });
}
