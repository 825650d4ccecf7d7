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
    const found: string[] = [];
    for (const folder of await this.foldersBelow(path, isMaskFolder)) {
      const prefix = path === folder ? '' : `${path === '' ? folder : folder.slice(path.length + 1)}/`;
      for (const name of await this.pictures(folder)) found.push(prefix + name);
    }
    return found;
  }

  /**
   * A folder and all within it. Links are looked through, but each real folder is taken once, by the path without links where
   * there is one: folders that link to each other have as many paths as there are orders of them.
   * @param isLeftOut by the name of a folder
   */
  async foldersBelow(path: string, isLeftOut: (name: string) => boolean = () => false): Promise<string[]> {
    return [...(await this.#walked(path, isLeftOut)).folders.values()];
  }

  /** The links that `picturesBelow` leaves out, with the path by which it has the folder that they lead to. */
  async linksBelow(path: string): Promise<Map<string, string>> {
    const { links, folders } = await this.#walked(path, isMaskFolder);
    const linked = links.map(({ folder, real }) => [folder, folders.get(real)!] as const);
    return new Map(linked.filter(([folder, known]) => folder !== known));
  }

  async #walked(path: string, isLeftOut: (name: string) => boolean): Promise<Walk> {
    // What cannot be resolved is told by whoever lists it.
    const realOf = (place: string) => realpath(place).catch(() => place);
    const root = await realOf(this.root);
    const walk: Walk = { isLeftOut, root, folders: new Map(), links: [] };
    walk.links.push({ folder: path, real: await realOf(join(root, path)), depth: 0 });
    for (const place of walk.links) await this.#walk(place, walk);
    return walk;
  }

  async #walk({ folder, real, depth }: Place, walk: Walk): Promise<void> {
    if (walk.folders.has(real)) return;
    walk.folders.set(real, folder);
    if (depth === k_deepest) return;
    for (const { name, isLink } of await this.#foldersOf(folder)) {
      if (walk.isLeftOut(name)) continue;
      const below = { folder: folder === '' ? name : `${folder}/${name}`, depth: depth + 1 };
      if (!isLink) {
        await this.#walk({ ...below, real: join(real, name) }, walk);
        continue;
      }
      const target = await realpath(join(this.root, below.folder)).catch(() => undefined);
      if (target === undefined || isAbove(target, real) || isAbove(target, join(walk.root, folder))) continue;
      walk.links.push({ ...below, real: target });
    }
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

interface Place {
  /** below the root */
  folder: string;
  /** the same with all links resolved */
  real: string;
  /** folders between it and where the walk began */
  depth: number;
}

interface Walk {
  isLeftOut(name: string): boolean;
  /** real path of the tree's root */
  root: string;
  /** what was found, by real paths */
  folders: Map<string, string>;
  /** what is looked through last; grows on the way */
  links: Place[];
}

/** Whether a folder holds another one, or is it. */
function isAbove(folder: string, other: string): boolean {
  return `${other}/`.startsWith(`${folder}/`);
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
