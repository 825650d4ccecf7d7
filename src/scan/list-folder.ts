/** The entries of a folder in one order on every machine, links looked through, names that are no UTF-8 kept as bytes. */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';

export type EntryKind = 'file' | 'folder' | 'other' | 'broken-link';

export interface FolderEntry {
  /** for people and for paths; of a name that is no UTF-8 its odd bytes are written as `\xNN` */
  name: string;
  /** the name itself, where it is no UTF-8: only these bytes open it */
  bytes?: Buffer;
  /** of a link, of what it leads to */
  kind: EntryKind;
  isLink: boolean;
}

/** A path; bytes where some name in it is no UTF-8. */
export type AnyPath = string | Buffer;

/** By code units of the names. @throws errors of the file system */
export async function listFolder(folder: AnyPath): Promise<FolderEntry[]> {
  const found = await readdir(folder, { withFileTypes: true });
  // U+FFFD stands for bytes that are no UTF-8, or for itself: only the bytes tell.
  const isSound = found.every(({ name }) => !name.includes('\ufffd'));
  const entries = isSound
    ? found.map((entry) => ({ entry, name: entry.name }))
    : (await readdir(folder, { withFileTypes: true, encoding: 'buffer' })).map((entry) => ({
        entry,
        ...nameOf(entry.name),
      }));
  const listed = await Promise.all(
    entries.map(async ({ entry, name, bytes }: { entry: Kinds; name: string; bytes?: Buffer }) => {
      const facts = entry.isSymbolicLink()
        ? await stat(joined(folder, bytes ?? name)).catch(() => undefined)
        : entry;
      return {
        name,
        ...(bytes === undefined ? {} : { bytes }),
        kind: kindOf(facts),
        isLink: entry.isSymbolicLink(),
      };
    }),
  );
  return listed.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

type Kinds = Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

function kindOf(facts: Kinds | undefined): EntryKind {
  if (facts === undefined) return 'broken-link';
  return facts.isDirectory() ? 'folder' : facts.isFile() ? 'file' : 'other';
}

/** `folder/name`; bytes when one of them is. */
export function joined(folder: AnyPath, name: AnyPath): AnyPath {
  if (typeof folder === 'string' && typeof name === 'string')
    return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
  const parts = [folder, '/', name].map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  return Buffer.concat(parts);
}

/** A name from its bytes; `bytes` only where they are no UTF-8. */
export function nameOf(bytes: Buffer): { name: string; bytes?: Buffer } {
  const name = bytes.toString('utf8');
  return Buffer.from(name, 'utf8').equals(bytes) ? { name } : { name: shownBytes(bytes), bytes };
}

/** Text as it is, every byte that is no UTF-8 as `\xNN`: different bytes, different text. */
function shownBytes(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => {
      const part = bytes.subarray(at, at + size).toString('utf8');
      return !part.includes('\ufffd') && Buffer.byteLength(part) === size;
    });
    if (length === undefined) {
      text += `\\x${bytes[at]!.toString(16).padStart(2, '0')}`;
      at++;
    } else {
      text += bytes.subarray(at, at + length).toString('utf8');
      at += length;
    }
  }
  return text;
}
