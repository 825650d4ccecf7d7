/** Folders for what is needed while a piece of work goes on, in the system's folder for such. */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeft } from './left-files.js';
import { temporaryBeside } from './temporary-name.js';
import { codedWriteError } from './write-whole.js';

/**
 * Nobody else's, and the caller's to remove; those of killed processes go first, since they may hold gigabytes.
 * @throws CraneError E_IO_WRITE
 */
export async function temporaryFolder(): Promise<string> {
  const name = join(tmpdir(), 'crane-native');
  await removeLeft(tmpdir(), { of: name });
  const folder = temporaryBeside(name);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (thrown) {
    throw codedWriteError(folder, thrown, 'TMPDIR');
  }
  return folder;
}
