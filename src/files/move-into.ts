/** Moves a file into a folder, which may lie on another file system. */
import { copyFile, rm } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { CraneError } from '../errors.js';
import { makeFolder } from './make-folder.js';
import { temporaryBeside } from './temporary-name.js';
import { publishNew } from './write-whole.js';

/**
 * Under its own name; one that is taken gets a number, so that nothing is overwritten, whoever else moves files there.
 * @returns where it lies now. What rejects leaves the file where it was
 */
export async function moveInto(path: string, folder: string): Promise<string> {
  await makeFolder(folder);
  const ending = extname(path);
  const stem = basename(path, ending);
  for (let count = 1; ; count++) {
    const target = join(folder, count === 1 ? `${stem}${ending}` : `${stem}-${count}${ending}`);
    try {
      await giveName(path, target);
      await leave(path, target);
      return target;
    } catch (thrown) {
      if (!(thrown instanceof CraneError && thrown.code === 'E_EXISTS')) throw thrown;
    }
  }
}

/** Where the file may not be taken away there are not two of it. Where there are no links it was renamed, and is gone. */
async function leave(path: string, target: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (thrown) {
    await rm(target, { force: true });
    throw thrown;
  }
}

async function giveName(path: string, target: string): Promise<void> {
  try {
    await publishNew(path, target);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
    await copyWhole(path, target);
  }
}

/** Whoever looks into the folder sees no half of a file. */
async function copyWhole(path: string, target: string): Promise<void> {
  const temporary = temporaryBeside(target);
  try {
    await copyFile(path, temporary);
    await publishNew(temporary, target);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
