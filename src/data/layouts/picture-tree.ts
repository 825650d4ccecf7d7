/** The folders and pictures below a root, each folder read once; hidden names are left out. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codedReadError } from '../../files/open-file.js';
import { pictureEndings } from '../../images/format.js';
import { byCodeUnits } from '../data-set.js';

interface Listing {
  folders: string[];
  files: string[];
}

const k_endings = new Set<string>(pictureEndings);

export class PictureTree {
  private readonly listings_ = new Map<string, Promise<Listing>>();

  /** @param root absolute */
  constructor(readonly root: string) {}

  /** name of the root folder */
  get name(): string {
    return basename(this.root);
  }

  /** Names of the folders in a folder, by code units; none when it does not exist. */
  async folders(path = ''): Promise<string[]> {
    return (await this.list(path)).folders;
  }

  /** Names of the pictures in a folder, by code units; none when it does not exist. */
  async pictures(path = ''): Promise<string[]> {
    return (await this.list(path)).files.filter(hasPictureEnding);
  }

  async hasPictures(path: string): Promise<boolean> {
    return (await this.pictures(path)).length > 0;
  }

  async hasFile(path: string): Promise<boolean> {
    const at = path.lastIndexOf('/');
    return (await this.list(path.slice(0, Math.max(0, at)))).files.includes(path.slice(at + 1));
  }

  private list(path: string): Promise<Listing> {
    const known = this.listings_.get(path);
    if (known) return known;
    const listing = listFolder(join(this.root, path));
    this.listings_.set(path, listing);
    return listing;
  }
}

async function listFolder(folder: string): Promise<Listing> {
  const listing: Listing = { folders: [], files: [] };
  let entries: Awaited<ReturnType<typeof readEntries>>;
  try {
    entries = await readEntries(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return listing;
    throw codedReadError(folder, cause);
  }
  for (const entry of entries) {
    // `__MACOSX` holds a shadow of every file of an archive.
    if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue;
    const facts = entry.isSymbolicLink()
      ? await stat(join(folder, entry.name)).catch(() => undefined)
      : entry;
    if (facts?.isDirectory()) listing.folders.push(entry.name);
    else if (facts?.isFile()) listing.files.push(entry.name);
  }
  listing.folders.sort(byCodeUnits);
  listing.files.sort(byCodeUnits);
  return listing;
}

function readEntries(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

function hasPictureEnding(name: string): boolean {
  return k_endings.has(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
}
