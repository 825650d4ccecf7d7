import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimFolder } from '../../../src/files/folder-lock.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane-claim-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('a folder that is claimed is refused to everybody else, with the process that has it', async () => {
  const folder = join(scratch, 'a', 'claimed');
  const lock = await claimFolder(folder);
  await expect(claimFolder(folder)).rejects.toMatchObject({
    code: 'E_IN_USE',
    message: expect.stringContaining(`process ${process.pid} on ${os.hostname()}`),
    hint: expect.stringContaining(join(folder, '.lock')),
  });
  await lock.release();
  await (await claimFolder(folder)).release();
});

it('what was claimed for nothing leaves nothing; what holds files stays', async () => {
  const folder = join(scratch, 'empty');
  const lock = await claimFolder(folder);
  await lock.release();
  await lock.release();
  expect(await readdir(scratch)).not.toContain('empty');
  const used = await claimFolder(folder);
  await writeFile(join(folder, 'run.json'), '{}');
  await used.release();
  expect(await readdir(folder)).toEqual(['run.json']);
});

it('the lock of a process that is gone keeps nobody out', async () => {
  const folder = join(scratch, 'left');
  const child = spawn(process.execPath, ['-e', '']);
  const pid = await new Promise((resolve) => child.on('exit', () => resolve(child.pid)));
  await mkdir(folder);
  await writeFile(join(folder, '.lock'), JSON.stringify({ pid, host: os.hostname(), id: 'x' }));
  await (await claimFolder(folder)).release();
});
