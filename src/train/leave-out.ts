/**
 * Pictures not to learn from: paths of the data sets' pictures, or of any other files and folders, whose content then
 * counts. So a copy of a data set's picture, in a demo or in a test of one's own, can be kept out wherever it lies.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eachBounded } from '../data/each-bounded.js';
import { CraneError } from '../errors.js';
import { contentHash } from '../files/content-hash.js';
import { codedReadError } from '../files/open-file.js';
import { decodeText } from '../files/text.js';

/**
 * @param entries paths, or `@FILE`: a text file with one path a line, relative to it
 * @param images absolute paths of all pictures
 * @returns those of `images` that are left out
 * @throws CraneError E_USAGE when an entry is no file, or leaves out nothing
 */
export async function leaveOut(entries: readonly string[], images: readonly string[]): Promise<Set<string>> {
  const out = new Set<string>();
  if (entries.length === 0) return out;
  const known = new Set(images);
  let byContent: Map<string, string[]> | undefined;
  for (const path of (await Promise.all(entries.map(pathsOf))).flat()) {
    if (known.has(path)) {
      out.add(path);
      continue;
    }
    const files = await filesAt(path);
    byContent ??= await imagesByContent(images);
    const hashes = new Set(await Promise.all(files.map(contentHash)));
    const same = [...hashes].flatMap((hash) => byContent!.get(hash) ?? []);
    if (same.length === 0) {
      throw new CraneError('E_USAGE', `${path}: is to be left out, but no data set has such a picture`);
    }
    for (const image of same) out.add(image);
  }
  return out;
}

async function pathsOf(entry: string): Promise<string[]> {
  if (!entry.startsWith('@')) return [resolve(entry)];
  const file = entry.slice(1);
  const bytes = await readFile(file).catch((thrown: unknown) => {
    throw codedReadError(file, thrown);
  });
  return decodeText(bytes, file)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => resolve(join(file, '..'), line.trim()));
}

/** The file itself, or the files of a folder. */
async function filesAt(path: string): Promise<string[]> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isFile()) return [path];
  if (!facts?.isDirectory()) {
    throw new CraneError('E_USAGE', `${path}: is to be left out, but there is no such file or folder`);
  }
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => join(path, name));
}

async function imagesByContent(images: readonly string[]): Promise<Map<string, string[]>> {
  const byContent = new Map<string, string[]>();
  await eachBounded(images, 8, async (image) => {
    const hash = await contentHash(image);
    const same = byContent.get(hash);
    if (same === undefined) byContent.set(hash, [image]);
    else same.push(image);
  });
  return byContent;
}
