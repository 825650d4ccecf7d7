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
    if (code !== 'ENOENT' || parent === path) throw thrown;
    // Where the parent exists now, another process may have made it since: a second try tells.
    if (existsSync(parent)) await makeLast(path);
    else {
      await makeFolder(parent);
      await makeFolder(path);
    }
  }
}

async function makeLast(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(path)).isDirectory())
      throw thrown;
  }
}
