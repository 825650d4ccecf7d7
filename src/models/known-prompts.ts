/**
 * What prompts were learned on, remembered by their content in the cache folder: an epoch's file cannot say it itself, as the
 * authors' form has no place for it, and a copy under another name has nothing beside it that could.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../files/cache-folder.js';
import { makeFolder } from '../files/make-folder.js';
import { writeWhole } from '../files/write-whole.js';

/** The metadata that the file would carry. Never rejects: a full cache ends no training. */
export async function rememberPrompts(
  sha256: string,
  metadata: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  try {
    const folder = await folderIn(env);
    await makeFolder(folder);
    await writeWhole(join(folder, `${sha256}.json`), `${JSON.stringify(metadata)}\n`, { overwrite: true });
  } catch {
    // Told by the file's name and folder, as before.
  }
}

/** @returns undefined: never learned here, or forgotten. They are as untrusted as those of a file */
export async function recallPrompts(
  sha256: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string> | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(await folderIn(env), `${sha256}.json`), 'utf8'));
    const isPlain = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    if (!isPlain || !Object.values(parsed).every((value) => typeof value === 'string')) return undefined;
    return parsed as Record<string, string>;
  } catch {
    return undefined;
  }
}

async function folderIn(env: NodeJS.ProcessEnv): Promise<string> {
  return join(await cacheFolder(env), 'prompts');
}
