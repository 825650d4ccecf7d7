import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder } from '../../../src/files/make-folder.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane-folders-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('many at once make the same folders', async () => {
  for (let round = 0; round < 50; round++) {
    const parent = join(scratch, `round ${round}`, 'a', 'b');
    await Promise.all(['c', 'd', 'c', 'd', 'c/e', 'd/f'].map((name) => makeFolder(join(parent, name))));
    expect((await stat(join(parent, 'd', 'f'))).isDirectory()).toBe(true);
  }
});

it('a file in the way is told', async () => {
  await writeFile(join(scratch, 'file'), '');
  await expect(makeFolder(join(scratch, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(scratch, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it.runIf(process.platform === 'linux')('ends where nothing can be made', async () => {
  await expect(makeFolder('/proc/none')).rejects.toMatchObject({ code: 'ENOENT' });
});
