/**
 * Keeps the paths of a data set inside its root. An index is untrusted: neither `..`, nor an absolute path, nor a
 * symbolic link may lead to a file elsewhere.
 */
import type { Stats } from 'node:fs';
import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CraneError } from '../errors.js';

export type PlaceKind = 'file' | 'folder' | 'missing' | 'outside';

export class RootFence {
  /** real paths of folders that were looked at; undefined: it does not exist */
  readonly #folders = new Map<string, Promise<string | undefined>>();
  readonly #realRoot: string;
  readonly #followLinks: boolean;

  private constructor(
    /** absolute, as given */
    readonly root: string,
    realRoot: string,
    followLinks: boolean,
  ) {
    this.#realRoot = realRoot;
    this.#followLinks = followLinks;
  }

  /**
   * @param followLinks links may lead outside: whoever names the folder trusts them
   * @throws CraneError E_DATA_NOT_FOUND
   */
  static async at(root: string, followLinks = false): Promise<RootFence> {
    const absolute = resolve(root);
    try {
      return new RootFence(absolute, await realpath(absolute), followLinks);
    } catch (cause) {
      throw new CraneError('E_DATA_NOT_FOUND', `${root}: there is no such folder`, { cause });
    }
  }

  /** The path below the root with `/` between; undefined when its text leads outside. Looks at no file. */
  below(given: string): string | undefined {
    if (given.includes('\0')) return undefined;
    if (!isAbsolute(given)) return inside(this.root, join(this.root, given));
    return inside(this.root, resolve(given)) ?? inside(this.#realRoot, resolve(given));
  }

  /** What is at a path from `below`, once links are followed. */
  async look(path: string): Promise<PlaceKind> {
    if (path === '') return 'folder';
    const absolute = join(this.root, path);
    const folder = await this.#realFolder(dirname(absolute));
    if (folder === undefined) return 'missing';
    if (!this.#isInside(folder)) return 'outside';
    try {
      let facts: Stats = await lstat(absolute);
      if (facts.isSymbolicLink()) {
        if (!this.#isInside(await realpath(absolute))) return 'outside';
        facts = await stat(absolute);
      }
      return facts.isDirectory() ? 'folder' : 'file';
    } catch {
      // Not there, a broken link, a name that is too long: to whoever wants to read it, all the same.
      return 'missing';
    }
  }

  /** Through which link a path leads outside; undefined: through none, its text does. */
  async why(given: string): Promise<string | undefined> {
    const path = this.below(given);
    if (path === undefined) return undefined;
    let at = this.root;
    for (const part of path.split('/')) {
      at = join(at, part);
      const facts = await lstat(at).catch(() => undefined);
      if (facts?.isSymbolicLink() && !isInside(this.#realRoot, await realpath(at).catch(() => at)))
        return `${relative(this.root, at)} is a symbolic link to ${await readlink(at)}`;
    }
    return undefined;
  }

  #isInside(real: string): boolean {
    return this.#followLinks || isInside(this.#realRoot, real);
  }

  #realFolder(folder: string): Promise<string | undefined> {
    const known = this.#folders.get(folder);
    if (known) return known;
    const found = realpath(folder).catch(() => undefined);
    this.#folders.set(folder, found);
    return found;
  }
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** The path from root to a path below it; undefined when it is not below. The root itself is ''. */
function inside(root: string, path: string): string | undefined {
  return isInside(root, path) ? relative(root, path).split(sep).join('/') : undefined;
}
