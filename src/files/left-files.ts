/** Temporary files that killed processes left: nobody else takes them away, and results would carry them for ever. */
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAlive } from './is-alive.js';
import { removeLeftRight } from './lock-file.js';
import { shortName, writerOf } from './temporary-name.js';

/** Whether a process of another machine lives cannot be seen; one that writes renews the file's time. */
const k_foreignMs = 24 * 3_600_000;

export interface LeftOptions {
  /** only what was to become this path, folders too */
  of?: string;
  /** folders in it too, for folders in which nobody else keeps anything */
  below?: boolean;
}

/**
 * Takes away what was begun in this folder by processes that are no more. Files of living processes stay,
 * such as those of another shard, and all that does not have the name of a temporary file of ours.
 * @returns how many; what cannot be read or removed is passed over, since it is in nobody's way
 */
export async function removeLeft(folder: string, { of, below = false }: LeftOptions = {}): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (below && entry.isDirectory()) removed += await removeLeft(join(folder, entry.name), { below });
    if (of === undefined && entry.isFile() && (await removeLeftRight(folder, entry.name))) removed++;
    const writer = writerOf(entry.name);
    if (writer === undefined || (of !== undefined && writer.of !== shortName(of))) continue;
    if (!entry.isFile() && !(of !== undefined && entry.isDirectory())) continue;
    const path = join(folder, entry.name);
    if (!(await isLeft(path, writer, entry.isDirectory()))) continue;
    await rm(path, { recursive: true, force: true }).then(
      () => removed++,
      () => {},
    );
  }
  return removed;
}

/** Folders that were begun for this path by processes that are no more. */
export async function foldersLeft(path: string): Promise<string[]> {
  const folder = dirname(path);
  const left: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const writer = writerOf(entry.name);
    if (!entry.isDirectory() || writer?.of !== shortName(path)) continue;
    if (await isLeft(join(folder, entry.name), writer, true)) left.push(join(folder, entry.name));
  }
  return left;
}

async function isLeft(
  path: string,
  writer: { isThisHost: boolean; pid: number },
  isFolder: boolean,
): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  // In a folder of everybody's, who owns a folder could change it into links while it is emptied.
  if (isFolder && process.getuid && found.uid !== process.getuid()) return false;
  const changed = found.mtimeMs;
  if (!writer.isThisHost) return Date.now() - changed > k_foreignMs;
  // In containers the number of a process that was killed is soon another's, and often our own.
  if (writer.pid === process.pid) return changed < Date.now() - process.uptime() * 1000;
  return !isAlive(writer.pid);
}
