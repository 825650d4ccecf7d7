/** The folders and pictures below a root, each folder read once; hidden names and rubbish are left out. */
import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codedReadError } from '../../files/open-file.js';
import { kindOfFileName, kindOfFolderName } from '../../scan/file-kind.js';
import { type FolderEntry, listFolder } from '../../scan/list-folder.js';
import { isMaskFolder } from '../../scan/mask-names.js';
import { FolderLabels } from '../folder-labels.js';
import type { NamedValues } from '../mask-values.js';

/** Folders within folders that are looked through for pictures of one kind. */
const k_deepest = 12;

export class PictureTree {
  readonly #listings = new Map<string, Promise<FolderEntry[]>>();

  /**
   * @param root absolute
   * @param labels what the names of its folders mean
   * @param maskValues which values of its masks are defects; default: all above 0
   */
  constructor(
    readonly root: string,
    readonly labels = new FolderLabels(),
    readonly maskValues?: NamedValues,
  ) {}

  /** name of the root folder */
  get name(): string {
    return basename(this.root);
  }

  /** The same way of looking, from a folder of it. */
  below(folder: string): PictureTree {
    return new PictureTree(join(this.root, folder), this.labels, this.maskValues);
  }

  /** All that is in a folder, by code units; nothing when it does not exist. */
  entries(path = ''): Promise<readonly FolderEntry[]> {
    const known = this.#listings.get(path);
    if (known) return known;
    const listing = listed(join(this.root, path));
    this.#listings.set(path, listing);
    return listing;
  }

  /** Names of the folders in a folder, by code units; none when it does not exist. */
  async folders(path = ''): Promise<string[]> {
    return (await this.entries(path))
      .filter(({ name, kind, bytes }) => kind === 'folder' && !bytes && kindOfFolderName(name) === 'folder')
      .map(({ name }) => name);
  }

  /** Names of the pictures in a folder, by code units; none when it does not exist. */
  async pictures(path = ''): Promise<string[]> {
    return (await this.entries(path))
      .filter(({ name, kind, bytes }) => kind === 'file' && !bytes && kindOfFileName(name) === 'picture')
      .map(({ name }) => name);
  }

  /** Paths below a folder of the pictures in it and in the folders within, folders of masks left out. */
  async picturesBelow(path: string): Promise<string[]> {
    return this.#below(path, '', [], k_deepest);
  }

  async #below(
    path: string,
    prefix: string,
    ancestors: readonly string[],
    deepest: number,
  ): Promise<string[]> {
    const found = (await this.pictures(path)).map((name) => prefix + name);
    for (const { name, isLink } of await this.#foldersOf(path)) {
      if (isMaskFolder(name) || deepest === 0) continue;
      const folder = path === '' ? name : `${path}/${name}`;
      // Links may lead in circles.
      const real = isLink ? await realpath(join(this.root, folder)).catch(() => undefined) : undefined;
      if (isLink && (real === undefined || join(this.root, folder).startsWith(`${real}/`))) continue;
      if (real !== undefined && ancestors.includes(real)) continue;
      const below = real === undefined ? ancestors : [...ancestors, real];
      found.push(...(await this.#below(folder, `${prefix}${name}/`, below, deepest - 1)));
    }
    return found;
  }

  async #foldersOf(path: string): Promise<FolderEntry[]> {
    const names = new Set(await this.folders(path));
    return (await this.entries(path)).filter(({ name }) => names.has(name));
  }

  async hasPictures(path: string): Promise<boolean> {
    return (await this.pictures(path)).length > 0;
  }

  async hasPicturesBelow(path: string): Promise<boolean> {
    return (await this.hasPictures(path)) || (await this.picturesBelow(path)).length > 0;
  }

  async hasFile(path: string): Promise<boolean> {
    const at = path.lastIndexOf('/');
    const entries = await this.entries(path.slice(0, Math.max(0, at)));
    return entries.some(({ name, kind }) => kind === 'file' && name === path.slice(at + 1));
  }

  /** The path of a folder as it is really spelled; undefined when there is none. `Train` is found as `train`. */
  async folder(path: string): Promise<string | undefined> {
    let found = '';
    for (const part of path.split('/').filter((one) => one !== '')) {
      const names = await this.folders(found);
      const name = names.includes(part) ? part : names.find((one) => same(one, part));
      if (name === undefined) return undefined;
      found = found === '' ? name : `${found}/${name}`;
    }
    return found;
  }

  /** The path of a file as it is really spelled. */
  async file(path: string): Promise<string | undefined> {
    const at = path.lastIndexOf('/');
    const folder = at < 0 ? '' : await this.folder(path.slice(0, at));
    if (folder === undefined) return undefined;
    const names = (await this.entries(folder)).filter(({ kind }) => kind === 'file').map(({ name }) => name);
    const wanted = path.slice(at + 1);
    const name = names.includes(wanted) ? wanted : names.find((one) => same(one, wanted));
    return name === undefined ? undefined : folder === '' ? name : `${folder}/${name}`;
  }
}

function same(a: string, b: string): boolean {
  return a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase();
}

async function listed(folder: string): Promise<FolderEntry[]> {
  try {
    return await listFolder(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw codedReadError(folder, cause);
  }
}
