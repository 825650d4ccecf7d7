/** Creates a folder and those above it. */
import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Not mkdir's own `recursive`: where a file system answers ENOENT although the parent exists (as /proc does),
 * Node tries for ever. Throws the file system's error.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || existsSync(parent) || parent === path) throw thrown;
    await makeFolder(parent);
    await makeFolder(path);
  }
}
