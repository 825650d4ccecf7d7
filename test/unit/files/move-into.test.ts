import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** Folders that answer as if each were a file system of its own. */
let isApart = false;
/** A file that may not be taken away from where it lies. */
let stuck = '';
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const within = (work: (from: string, to: string) => Promise<void>) => async (from: string, to: string) => {
    if (isApart && dirname(from) !== dirname(to))
      throw Object.assign(new Error('EXDEV: cross-device link not permitted'), { code: 'EXDEV' });
    return work(from, to);
  };
  const takeAway = async (path: string, options?: object) => {
    if (path === stuck) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    return real.rm(path, options);
  };
  return { ...real, rm: takeAway, link: within(real.link as never), rename: within(real.rename as never) };
});
const { moveInto } = await import('../../../src/files/move-into.js');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane-move-'));
});
afterEach(async () => {
  isApart = false;
  stuck = '';
  await rm(folder, { recursive: true, force: true });
});

it.each([false, true])('a file gets into the folder, on another file system: %s', async (is) => {
  isApart = is;
  const from = join(folder, 'a.png');
  await writeFile(from, 'picture');
  const to = await moveInto(from, join(folder, 'new', 'done'));
  expect(to).toBe(join(folder, 'new', 'done', 'a.png'));
  expect(await readFile(to, 'utf8')).toBe('picture');
  expect([await readdir(folder), await readdir(dirname(to))]).toEqual([['new'], ['a.png']]);
});

it.each([false, true])('nothing is overwritten by several of one name at once, apart: %s', async (is) => {
  isApart = is;
  const done = join(folder, 'done');
  const names = Array.from({ length: 8 }, (_, at) => join(folder, String(at), 'a.png'));
  for (const [at, name] of names.entries()) {
    await mkdir(dirname(name));
    await writeFile(name, String(at));
  }
  const places = await Promise.all(names.map((name) => moveInto(name, done)));
  expect(new Set(places).size).toBe(8);
  const found = await Promise.all((await readdir(done)).map((name) => readFile(join(done, name), 'utf8')));
  expect(found.sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
});

it.each([false, true])('what may not be taken away is not there twice, apart: %s', async (is) => {
  isApart = is;
  stuck = join(folder, 'a.png');
  await writeFile(stuck, 'picture');
  await expect(moveInto(stuck, join(folder, 'done'))).rejects.toThrow('EACCES');
  expect([await readdir(folder), await readdir(join(folder, 'done'))]).toEqual([['a.png', 'done'], []]);
});

it('what cannot be moved stays where it is', async () => {
  const from = join(folder, 'a.png');
  await writeFile(from, 'picture');
  await writeFile(join(folder, 'file'), '');
  await expect(moveInto(from, join(folder, 'file'))).rejects.toThrow();
  await expect(moveInto(join(folder, 'none.png'), join(folder, 'done'))).rejects.toThrow();
  expect(await readFile(from, 'utf8')).toBe('picture');
  expect(await readdir(join(folder, 'done'))).toEqual([]);
});
