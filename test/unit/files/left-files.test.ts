import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Panels } from '../../../src/evaluate/panels.js';
import { removeLeft } from '../../../src/files/left-files.js';
import { temporaryBeside } from '../../../src/files/temporary-name.js';
import { isThere } from '../../../src/files/write-whole.js';
import { openOut } from '../../../src/sinks/out-place.js';
import { TrialsFolder } from '../../../src/trials/trials-folder.js';
import { deadProcess, leave, livingProcess } from './left.js';

let scratch: string;
const at = (...parts: string[]) => join(scratch, ...parts);
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane-left-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const longAgo = new Date(Date.now() - 48 * 3_600_000);

describe('temporary files of killed processes', () => {
  it('are taken away, whatever name they were to get', async () => {
    const folder = at('killed');
    for (const name of ['a.npy', 'b.heat.webp', '.lock', 'ä'.repeat(120), '部品'.repeat(60), '🏭'.repeat(60)])
      await leave(join(folder, name));
    const native = await leave(join(folder, 'part.normals.safetensors'));
    await rename(native, `${native}.4711-0.tmp`);
    expect(await removeLeft(folder)).toBe(7);
    expect(await readdir(folder)).toEqual([]);
  });

  it('stay while the process lives, and where it was another machine’s not long ago', async () => {
    const living = await livingProcess();
    try {
      const folder = at('living');
      const theirs = await leave(join(folder, 'a.npy'), living.pid);
      const own = await leave(join(folder, 'b.npy'), process.pid);
      const foreign = (await leave(join(folder, 'c.npy'))).replace(/\.[0-9a-f]{8}-/, '.00000000-');
      const old = foreign.replace('c.npy', 'd.npy');
      for (const path of [foreign, old]) await writeFile(path, 'half');
      await utimes(old, longAgo, longAgo);
      expect(await removeLeft(folder)).toBe(2);
      expect((await readdir(folder)).sort()).toEqual(
        [theirs, own, foreign].map((path) => basename(path)).sort(),
      );
    } finally {
      await living.end();
    }
  });

  it('are rights to break a lock too, of which others stay', async () => {
    const living = await livingProcess();
    try {
      const folder = at('rights');
      await mkdir(folder);
      const right = (pid: number) => JSON.stringify({ pid, host: hostname(), id: String(pid) });
      const ended = deadProcess();
      const names = ['a.lock.0123456789abcdef', 'a.lock.0123456789abcdef.fedcba9876543210'];
      for (const name of names) await writeFile(join(folder, name), right(ended));
      await writeFile(join(folder, 'b.lock.0123456789abcdef'), right(living.pid));
      await writeFile(join(folder, 'c.lock'), right(ended));
      expect(await removeLeft(folder)).toBe(2);
      expect((await readdir(folder)).sort()).toEqual(['b.lock.0123456789abcdef', 'c.lock']);
    } finally {
      await living.end();
    }
  });

  it('are those of a process that had our number before us', async () => {
    const left = await leave(at('numbers', 'a.npy'), process.pid);
    await utimes(left, longAgo, longAgo);
    expect(await removeLeft(at('numbers'))).toBe(1);
  });

  it('are told from what users name like that, and from folders', async () => {
    const folder = at('users');
    await mkdir(folder);
    const names = ['.a.tmp', 'a.tmp', '.a.12-3.tmp', '.a.0123456789ab.tmp', 'model'];
    for (const name of names) await writeFile(join(folder, name), 'mine');
    const begun = await leave(join(folder, 'copy'));
    await rm(begun);
    await mkdir(join(begun, 'below'), { recursive: true });
    expect(await removeLeft(folder)).toBe(0);
    expect(await removeLeft(folder, { of: at('users', 'other') })).toBe(0);
    expect(await removeLeft(folder, { of: at('users', 'copy') })).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(names.sort());
    expect(await removeLeft(at('nowhere'))).toBe(0);
  });

  it('are really left by kill -9, under such a name', async () => {
    const module = pathToFileURL(join(import.meta.dirname, '../../../dist/files/write-whole.js'));
    const path = at('killing', 'big.bin');
    const script = `import { writeWhole } from ${JSON.stringify(module)};
      const part = Buffer.alloc(1 << 20);
      await writeWhole(${JSON.stringify(path)}, new Array(400).fill(part), { overwrite: true });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const exit = new Promise((resolve) => child.once('exit', resolve));
    while (child.exitCode === null && (await readdir(at('killing')).catch(() => [])).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGKILL');
    await exit;
    expect(await readdir(at('killing'))).toHaveLength(1);
    expect(await removeLeft(at('killing'))).toBe(1);
  });
});

describe('a folder of results is rid of them', () => {
  const doors: [string, string[], (folder: string) => Promise<unknown>][] = [
    [
      'score',
      ['a.map.npy', 'labelme/a.json', 'results.jsonl.lock'],
      async (folder) => {
        const out = await openOut(folder, { resume: true, overwrite: false, table: undefined });
        for (const name of ['labelme/b.json', 'labelme/c.json']) await out.put(name, Buffer.from('{}'));
        await out.results.complete();
      },
    ],
    ['train --grid', ['trials.json'], async (folder) => (await new TrialsFolder(folder).claim()).release()],
    [
      'test --panels',
      ['set/screw/bad/00001_a.png'],
      (folder) => Panels.checkFree(folder, { resume: true, force: false }),
    ],
  ];

  it.each(doors)('by %s', async (door, names, open) => {
    const folder = at(`door ${door.slice(0, 5)}`);
    const left = await Promise.all(names.map((name) => leave(join(folder, name))));
    await open(folder);
    for (const path of left) expect(await isThere(path)).toBe(false);
  });
});

it('a temporary name fits every file system', () => {
  for (const name of ['x', '🏭'.repeat(60), '部'.repeat(80)])
    expect(Buffer.byteLength(basename(temporaryBeside(at(name))))).toBeLessThan(230);
});
