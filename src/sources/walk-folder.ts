/** The pictures in a folder, in one order on every machine; whatever else is there is counted. */
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CraneError } from '../errors.js';
import { codedReadError } from '../files/open-file.js';
import { hasPictureEnding, kindOfFileName, kindOfFolderName } from '../scan/file-kind.js';
import { type AnyPath, type FolderEntry, joined, listFolder } from '../scan/list-folder.js';
import { isMaskFolder, masksBeside } from '../scan/mask-names.js';
import type { ScanAccount } from '../scan/scan-account.js';

export interface WalkOptions {
  recursive: boolean;
  /** enter links to folders */
  followLinks: boolean;
  /** take the masks of pictures too */
  includeMasks: boolean;
  /** folders that are never entered, absolute */
  exclude: readonly string[];
  account: ScanAccount;
}

export interface WalkedFile {
  /** what opens it */
  path: AnyPath;
  /** the path as text */
  shown: string;
}

/** Depth first, names in the order of their code units. Of a million files only one folder's names are held. */
export async function* walkFolder(folder: string, options: WalkOptions): AsyncGenerator<WalkedFile> {
  const seen = options.followLinks ? new Set([await realpath(folder)]) : undefined;
  const entries = await entriesOf({ path: folder, shown: folder });
  yield* walk({ path: folder, shown: folder }, entries, { ...options, seen, isOfMasks: false });
}

interface Walking extends WalkOptions {
  /** real paths of the folders that were entered: links may lead in circles */
  seen: Set<string> | undefined;
  /** below a folder of masks */
  isOfMasks: boolean;
}

async function entriesOf({ path, shown }: WalkedFile): Promise<FolderEntry[]> {
  try {
    return await listFolder(path);
  } catch (cause) {
    throw codedReadError(shown, cause);
  }
}

async function* walk(
  folder: WalkedFile,
  entries: readonly FolderEntry[],
  options: Walking,
): AsyncGenerator<WalkedFile> {
  const { account, includeMasks } = options;
  const masks = includeMasks ? undefined : masksBeside(entries.map(({ name }) => name));
  for (const entry of entries) {
    const { name, kind } = entry;
    const shown = join(folder.shown, name);
    const isText = typeof folder.path === 'string' && entry.bytes === undefined;
    const file = { path: isText ? shown : joined(folder.path, entry.bytes ?? name), shown };
    if (kind === 'folder') yield* enter(file, entry, entries, options);
    else if (kind === 'broken-link') account.leaveOut('broken-link', file.shown);
    else {
      const what = kindOfFileName(name);
      if (what === 'rubbish' || what === 'hidden') account.leaveOut(what, file.shown);
      else if (what === 'unread-picture') account.leaveOut('kind-not-read', file.shown);
      else if (what === 'other' || kind === 'other') account.leaveOut('no-picture', file.shown);
      else if (options.isOfMasks || masks?.has(name)) account.leaveOut('mask', file.shown);
      else {
        account.takePicture();
        yield file;
      }
    }
  }
}

async function* enter(
  folder: WalkedFile,
  { name, isLink }: FolderEntry,
  siblings: readonly FolderEntry[],
  options: Walking,
): AsyncGenerator<WalkedFile> {
  const { account, recursive, followLinks, exclude, includeMasks, seen } = options;
  const what = kindOfFolderName(name);
  if (typeof folder.path === 'string' && exclude.includes(resolve(folder.path)))
    return account.leaveOut('own-output', folder.shown);
  if (what !== 'folder') return account.leaveOut(what, folder.shown);
  if (!recursive) return account.leaveOut('subfolder', folder.shown);
  if (isLink && !followLinks) return account.leaveOut('link', folder.shown);
  const inside = await entriesOf(folder).catch(wasThere);
  if (inside === undefined) return account.leaveOut('gone', folder.shown);
  if (seen !== undefined) {
    const real = await realpath(folder.path).then(String, () => folder.shown);
    if (seen.has(real)) return account.leaveOut('duplicate', folder.shown);
    seen.add(real);
  }
  const isOfMasks = !includeMasks && isMaskFolder(name) && siblings.some(mayHoldPictures);
  yield* walk(folder, inside, { ...options, isOfMasks: options.isOfMasks || isOfMasks });
}

/** Of a folder that its parent named a moment ago: nothing ends because somebody tidies up meanwhile. */
function wasThere(error: CraneError): undefined {
  if (error.code !== 'E_INPUT_NOT_FOUND') throw error;
}

/** Masks lie beside what they are masks of; a folder of that name alone is something else. */
function mayHoldPictures({ name, kind }: FolderEntry): boolean {
  return kind === 'folder'
    ? kindOfFolderName(name) === 'folder' && !isMaskFolder(name)
    : hasPictureEnding(name);
}
