import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { codedWriteError, writeWhole } from '../../../src/files/write-whole.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane-whole-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('writing whole files', () => {
  it('refuses to overwrite, leaves nothing behind, overwrites when told', async () => {
    const path = join(folder, 'deep', 'er', 'x.bin');
    await writeWhole(path, [Buffer.from('one'), Buffer.from('two')], { overwrite: false });
    const error = await writeWhole(path, 'new', { overwrite: false }).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({ code: 'E_EXISTS' });
    expect(await readFile(path, 'utf8')).toBe('onetwo');
    await writeWhole(path, 'new', { overwrite: true });
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(join(folder, 'deep', 'er'))).toEqual(['x.bin']);
  });

  it('many at once: one wins, the others say that it exists', async () => {
    const path = join(folder, 'race.bin');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => writeWhole(path, `${at}`, { overwrite: false })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('a path with a NUL is E_USAGE, and nothing is made', async () => {
    const path = join(folder, 'cut\0off');
    const error = await writeWhole(path, 'x', { overwrite: true }).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('NUL') });
    expect((await readdir(folder)).filter((name) => name.includes('cut'))).toEqual([]);
  });

  it('a folder in the way is E_IO_WRITE', async () => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'x'), '');
    const error = await writeWhole(join(folder, 'taken'), 'x', { overwrite: true }).catch(
      (thrown: CraneError) => thrown,
    );
    expect(error).toMatchObject({ code: 'E_IO_WRITE' });
  });

  it.each([
    ['ENOSPC', /^the disk is full: make room/],
    ['EACCES', /^this user may not write there: choose another place/],
    ['EROFS', /^nothing can be written to that file system: choose another place/],
  ])('%s is told with what to do', (code, hint) => {
    const fault = Object.assign(new Error(`${code}: words of the system`), { code });
    expect(codedWriteError('x', fault)).toMatchObject({
      code: 'E_IO_WRITE',
      message: `x: ${code}: words of the system`,
      hint: expect.stringMatching(hint),
    });
  });
});
