/** Which of the user's own files (`--from`, files or folders) is which published file. */
import { constants, type Stats } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CraneError } from '../../errors.js';
import { sha256OfFile } from '../../files/content-hash.js';
import type { PublicFile } from './addresses.js';

/**
 * A file is taken for what its name says, else for what its sha256 says; when only one file is wanted, a single
 * file is taken for it whatever its name (the checks come later). Folders are searched by name, not deeper.
 * @throws CraneError E_WEIGHTS_NOT_FOUND, E_IO_READ, E_USAGE
 */
export async function matchImports(
  given: readonly string[],
  wanted: readonly PublicFile[],
): Promise<Map<PublicFile, string>> {
  const found = new Map<PublicFile, string>();
  for (const path of given) {
    const absolute = resolve(path);
    const facts = await readable(absolute, path);
    if (facts.isDirectory()) await searchFolder(absolute, wanted, found);
    else found.set(await whichFile(absolute, given, wanted), absolute);
  }
  return found;
}

async function readable(absolute: string, shown: string): Promise<Stats> {
  try {
    await access(absolute, constants.R_OK);
    return await stat(absolute);
  } catch (cause) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
    throw new CraneError(
      isMissing ? 'E_WEIGHTS_NOT_FOUND' : 'E_IO_READ',
      `${shown}: ${isMissing ? 'there is no such file or folder' : 'may not be read'}`,
      { hint: '--from takes files, or folders with files under their published names', cause },
    );
  }
}

async function searchFolder(
  folder: string,
  wanted: readonly PublicFile[],
  found: Map<PublicFile, string>,
): Promise<void> {
  const names = new Set(await readdir(folder));
  const here = wanted.filter(({ file }) => names.has(file));
  if (here.length === 0) {
    throw new CraneError(
      'E_WEIGHTS_NOT_FOUND',
      `${folder}: has none of ${wanted.map(({ file }) => file).join(', ')}`,
    );
  }
  for (const file of here) found.set(file, join(folder, file.file));
}

async function whichFile(
  path: string,
  given: readonly string[],
  wanted: readonly PublicFile[],
): Promise<PublicFile> {
  const byName = wanted.find(({ file }) => file === basename(path));
  if (byName) return byName;
  if (wanted.length === 1 && given.length === 1) return wanted[0]!;
  const sha256 = await sha256OfFile(path);
  const bySum = wanted.find((file) => file.sha256 === sha256);
  if (bySum) return bySum;
  throw new CraneError(
    'E_USAGE',
    `${path}: neither its name nor its sha256 (${sha256}) is that of a file that is needed`,
    { hint: `needed are ${wanted.map(({ file }) => file).join(', ')}: give the file that name` },
  );
}
