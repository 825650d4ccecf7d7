/** Folders for a piece of work: what killed processes left of theirs goes with the next one. */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/files/temporary-folder.js';
import { deadProcess, livingProcess, temporaryOf } from './left.js';

let before: string | undefined;
let scratch: string;
beforeEach(async () => {
  before = process.env['TMPDIR'];
  scratch = await mkdtemp(join(tmpdir(), 'crane-tmp-'));
  process.env['TMPDIR'] = scratch;
});
afterEach(async () => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  await rm(scratch, { recursive: true, force: true });
});

/** One that a process made, with something in it. */
async function folderOf(pid: number): Promise<string> {
  const folder = temporaryOf(join(scratch, 'crane-native'), pid);
  await mkdir(folder);
  await writeFile(join(folder, 'whole'), 'some gigabytes');
  return basename(folder);
}

it('is new, for its user alone, and stays while its process lives', async () => {
  const living = await livingProcess();
  try {
    const [theirs] = [await folderOf(living.pid), await folderOf(deadProcess())];
    await mkdir(join(scratch, 'crane-native-of-somebody'));
    const first = await temporaryFolder();
    const second = await temporaryFolder();
    expect((await readdir(scratch)).sort()).toEqual(
      [theirs, basename(first), basename(second), 'crane-native-of-somebody'].sort(),
    );
    expect((await stat(first)).mode & 0o777).toBe(0o700);
    expect(await readdir(first)).toEqual([]);
  } finally {
    await living.end();
  }
});

it('is told where it cannot be made', async () => {
  process.env['TMPDIR'] = join(scratch, 'none');
  await expect(temporaryFolder()).rejects.toMatchObject({ code: 'E_IO_WRITE' });
});

it.runIf(process.getuid?.() === 0)('of another user is left to him', async () => {
  const { chown } = await import('node:fs/promises');
  const theirs = await folderOf(deadProcess());
  await chown(join(scratch, theirs), 65534, 65534);
  await rm(await temporaryFolder(), { recursive: true });
  expect(await readdir(scratch)).toEqual([theirs]);
});
