/**
 * The published weight files of this machine, in `<cache>/weights`: fetched or imported once, checked, and linked
 * into model folders. A file has its name there only when it was checked.
 */
import { constants } from 'node:fs';
import { copyFile, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NativeAddon } from '../../addon/native.js';
import { CraneError } from '../../errors.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { sha256OfFile } from '../../files/content-hash.js';
import { withFolderLock } from '../../files/folder-lock.js';
import { makeFolder } from '../../files/make-folder.js';
import { writeWhole } from '../../files/write-whole.js';
import { formatBytes } from '../../terminal/bytes.js';
import { shownAddress } from '../../terminal/shown-address.js';
import type { PublicFile } from './addresses.js';
import { dropPart, fetchPart, partOf, type WeightTransfer } from './fetch-file.js';
import { pullFailure } from './pull-failure.js';
import { checkStructure } from './structure-check.js';

export interface StoredFile {
  path: string;
  sha256: string;
  bytes: number;
  how: 'was there' | 'fetched' | 'imported';
}

export interface StoreSurroundings {
  env: NodeJS.ProcessEnv;
  transfer: WeightTransfer;
  /** called only where a file without a published checksum has to be looked into */
  loadAddon(): Promise<NativeAddon>;
}

export async function storeFolder(env: NodeJS.ProcessEnv): Promise<string> {
  return join(await cacheFolder(env), 'weights');
}

export async function storePath(file: PublicFile, env: NodeJS.ProcessEnv): Promise<string> {
  return join(await storeFolder(env), file.file);
}

/**
 * The file, checked: from the store, else from `from` (a file of the user's), else from its address. Two processes
 * never fetch the same file at once.
 * @throws CraneError E_DOWNLOAD, E_WEIGHTS_*, E_IO_*, E_CANCELLED
 */
export async function obtain(
  file: PublicFile,
  from: string | undefined,
  surroundings: StoreSurroundings,
): Promise<StoredFile> {
  const path = await storePath(file, surroundings.env);
  const { log, stop: signal } = surroundings.transfer;
  try {
    return await withFolderLock(path, { log, signal }, async () => {
      const there = await sumIfThere(path);
      const known = await expectedSum(file, path);
      if (there !== undefined && there === known) return describe(path, there, 'was there');
      if (there !== undefined)
        surroundings.transfer.log(`${path}: not the file it was (sha256 ${there}); getting it again`);
      await makeFolder(dirname(path));
      if (from !== undefined) return await importFile(file, resolve(from), path, known, surroundings);
      return await fetchFile(file, path, known, surroundings);
    });
  } catch (thrown) {
    throw pullFailure(file, thrown);
  }
}

/** What is published, else what the first download was found to be. */
export async function expectedSum(file: PublicFile, path: string): Promise<string | undefined> {
  return file.sha256 ?? readRecord(path);
}

/** Beside a file without a published checksum, in the form that `sha256sum -c` reads. */
export function recordOf(path: string): string {
  return `${path}.sha256`;
}

async function fetchFile(
  file: PublicFile,
  path: string,
  known: string | undefined,
  surroundings: StoreSurroundings,
): Promise<StoredFile> {
  const { transfer } = surroundings;
  transfer.log(
    `${file.name}: ${shownAddress(file.url)} (about ${formatBytes(file.megabytes * 1e6)}, licence ${file.licence})`,
  );
  // Parts of two versions may have been put together: a wrong sum is believed only after a download in one piece.
  for (let isSecond = false; ; isSecond = true) {
    await fetchPart(file.url, path, (known ?? file.sha256Begins) !== undefined, transfer);
    const sha256 = await sha256OfFile(partOf(path));
    if (isExpected(sha256, known, file)) {
      if (file.sha256 === undefined) {
        await checkOrDrop(file, path, await surroundings.loadAddon());
        await writeWhole(recordOf(path), `${sha256}  ${file.file}\n`, { overwrite: true });
      }
      return await publish(path, sha256, 'fetched');
    }
    await dropPart(path);
    if (isSecond) throw wrongSum(file, file.url, sha256, known, path);
    transfer.log(`  what came has another sha256 than expected; once more from the start`);
  }
}

async function checkOrDrop(file: PublicFile, path: string, addon: NativeAddon): Promise<void> {
  try {
    await checkStructure(file, partOf(path), addon);
  } catch (thrown) {
    await dropPart(path);
    throw thrown;
  }
}

/** Copied, so that the store does not depend on a file that the user may change. */
async function importFile(
  file: PublicFile,
  from: string,
  path: string,
  known: string | undefined,
  surroundings: StoreSurroundings,
): Promise<StoredFile> {
  surroundings.transfer.log(`${file.name}: from ${from}`);
  await dropPart(path);
  try {
    await copyFile(from, partOf(path), constants.COPYFILE_FICLONE);
    const sha256 = await sha256OfFile(partOf(path));
    if (!isExpected(sha256, known, file)) throw wrongSum(file, from, sha256, known, path);
    if (file.sha256 === undefined) {
      await checkStructure(file, from, await surroundings.loadAddon());
      await writeWhole(recordOf(path), `${sha256}  ${file.file}\n`, { overwrite: true });
    }
    return await publish(path, sha256, 'imported');
  } finally {
    await dropPart(path);
  }
}

async function publish(path: string, sha256: string, how: StoredFile['how']): Promise<StoredFile> {
  await rename(partOf(path), path);
  await dropPart(path);
  return describe(path, sha256, how);
}

async function describe(path: string, sha256: string, how: StoredFile['how']): Promise<StoredFile> {
  return { path, sha256, bytes: (await stat(path)).size, how };
}

async function sumIfThere(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts) return undefined;
  if (facts.isFile()) return sha256OfFile(path);
  throw new CraneError('E_IO_WRITE', `${path}: is in the way of the file of that name`, {
    hint: 'move it elsewhere',
  });
}

/** The sha256 in the record of a file; undefined without one. */
export async function readRecord(path: string): Promise<string | undefined> {
  const text = await readFile(recordOf(path), 'utf8').catch(() => '');
  return /^([0-9a-f]{64})\b/.exec(text)?.[1];
}

/** `known` of the whole file, else what the publisher states of its beginning. */
function isExpected(sha256: string, known: string | undefined, file: PublicFile): boolean {
  return known === undefined ? sha256.startsWith(file.sha256Begins ?? '') : sha256 === known;
}

function wrongSum(
  file: PublicFile,
  from: string,
  found: string,
  known: string | undefined,
  path: string,
): CraneError {
  const isFirst = file.sha256 === undefined && known !== undefined;
  const expected = isFirst
    ? `the first download was ${known}`
    : `expected ${known ?? `${file.sha256Begins}...`}`;
  const hint = isFirst
    ? `if ${file.name} was changed by its publisher and you trust it, delete ${recordOf(path)} and pull again`
    : `it is not ${file.file} as published; nothing was kept`;
  return new CraneError(
    'E_WEIGHTS_HASH',
    `${file.name}: ${/^https?:/.test(from) ? shownAddress(from) : from} has sha256 ${found}, ${expected}`,
    { hint },
  );
}
