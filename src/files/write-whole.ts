/** Writes a file whole or not at all, and never over another one unless told to. */
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CraneError } from '../errors.js';
import { makeFolder } from './make-folder.js';
import { temporaryBeside } from './temporary-name.js';

export interface WriteOptions {
  overwrite: boolean;
}

/** @throws CraneError E_EXISTS or E_IO_WRITE; folders on the way are made */
export async function writeWhole(
  path: string,
  data: Uint8Array | readonly Uint8Array[] | string,
  { overwrite }: WriteOptions,
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx');
    try {
      for (const part of Array.isArray(data) ? (data as Uint8Array[]) : [data as Uint8Array | string])
        await file.appendFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    if (overwrite) await rename(temporary, path);
    else await publishNew(temporary, path);
  } catch (thrown) {
    throw codedWriteError(path, thrown);
  } finally {
    // Where a part of the path is no folder even this fails: what is told is why writing did.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/**
 * Gives a whole file its name unless that is taken; `shown`: what the user knows it by. A hard link fails where the name is
 * taken, in one step; some file systems have none.
 */
export async function publishNew(temporary: string, path: string, shown = path): Promise<void> {
  try {
    await link(temporary, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') throw exists(shown);
    if (await isThere(path)) throw exists(shown);
    await rename(temporary, path);
  }
}

export function exists(path: string): CraneError {
  return new CraneError('E_EXISTS', `${path}: exists already`, {
    hint: 'choose another --out, or overwrite with --force',
  });
}

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const k_writeHints: Record<string, string> = {
  ENOSPC: 'the disk is full: make room, then the same command again, with --resume where it has that',
  EDQUOT: 'your quota is used up: make room, then the same command again, with --resume where it has that',
  EFBIG: 'files may not become that large here (ulimit -f)',
  EACCES: 'this user may not write there: choose another place, or allow it',
  EPERM: 'this user may not write there: choose another place, or allow it',
  EROFS: 'nothing can be written to that file system: choose another place',
};

/** For errors of the file system while `path` was written; anything coded stays as it is. option: where `path` came from. */
export function codedWriteError(path: string, thrown: unknown, option = '--out'): CraneError {
  if (thrown instanceof CraneError) return thrown;
  const { code, message, path: place, syscall } = thrown as NodeJS.ErrnoException;
  // A file has the name of a folder that is needed: mkdir says EEXIST for the last name of a path, ENOTDIR for others.
  if (syscall === 'mkdir' && (code === 'EEXIST' || code === 'ENOTDIR')) {
    const found = code === 'EEXIST' ? `${place} is a file` : `a file is in the way to ${place}`;
    return new CraneError('E_IO_WRITE', `${path}: ${found}, expected a folder`, {
      hint: `choose another ${option}, or move the file away`,
      cause: thrown,
    });
  }
  const hint = k_writeHints[code ?? ''];
  return new CraneError('E_IO_WRITE', `${path}: ${message}`, { hint, cause: thrown });
}
