/**
 * Things with names that outlive the service, one kind a folder: each is a folder of its own, which appears and goes as a
 * whole, so that a process that is killed leaves all of a thing or nothing.
 */
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { makeFolder } from '../../files/make-folder.js';
import { codedWriteError } from '../../files/write-whole.js';

/** Never a path: no slash, and no dot at its beginning. */
export const k_keptName = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/;
const k_about = 'about.json';

export interface KeptAbout {
  name: string;
  /** of its files, without what is told of it */
  bytes: number;
}

export interface KeptLimits {
  count: number;
  /** of all of them */
  bytes: number;
}

export interface KeptParts<T extends KeptAbout> {
  folder: string;
  /** for messages: bank */
  what: string;
  about: z.ZodType<T>;
  limits: KeptLimits;
  /** told of what is there and cannot be used */
  onDamaged?: (name: string, why: string) => void;
}

export class KeptFolder<T extends KeptAbout> {
  readonly limits: KeptLimits;
  readonly #folder: string;
  readonly #what: string;
  readonly #about: z.ZodType<T>;
  readonly #known = new Map<string, T>();
  #isAdding = false;

  private constructor({ folder, what, about, limits }: KeptParts<T>) {
    this.#about = about;
    this.#folder = folder;
    this.#what = what;
    this.limits = limits;
  }

  /** Removes what was not finished. The folder is this process's alone. @throws CraneError E_IO_WRITE, E_IO_READ */
  static async open<T extends KeptAbout>(parts: KeptParts<T>): Promise<KeptFolder<T>> {
    const kept = new KeptFolder(parts);
    const { folder, about, onDamaged } = parts;
    try {
      await makeFolder(folder);
      for (const entry of await readdir(folder)) {
        if (entry.startsWith('.')) await rm(join(folder, entry), { recursive: true, force: true });
      }
    } catch (thrown) {
      throw codedWriteError(folder, thrown, '--data-folder');
    }
    for (const name of (await readdir(folder)).sort()) {
      try {
        const found = about.parse(JSON.parse(await readFile(join(folder, name, k_about), 'utf8')));
        if (found.name !== name) throw new Error(`it says of itself that it is "${found.name}"`);
        kept.#known.set(name, found);
      } catch (thrown) {
        onDamaged?.(name, (thrown as Error).message);
      }
    }
    return kept;
  }

  list(): T[] {
    return [...this.#known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws CraneError E_HTTP_NOT_FOUND */
  get(name: string): T {
    const found = this.#known.get(name);
    if (found) return found;
    throw new CraneError(
      'E_HTTP_NOT_FOUND',
      `no ${this.#what} is called ${JSON.stringify(name.slice(0, 80))}`,
      { hint: `GET /v1/${this.#what === 'bank' ? 'normals' : 'calibrations'} lists them` },
    );
  }

  /** Of a file of a thing that is there. @throws CraneError E_HTTP_NOT_FOUND */
  fileOf(name: string, file: string): string {
    return join(this.#folder, this.get(name).name, file);
  }

  /** Told before work is spent. @throws CraneError E_USAGE, E_EXISTS, E_HTTP_QUOTA */
  checkFree(name: string): void {
    if (!k_keptName.test(name)) {
      throw new CraneError('E_USAGE', `${JSON.stringify(name.slice(0, 80))} is no name for a ${this.#what}`, {
        hint: 'letters, digits, + . _ -, at most 64, a letter or digit first',
      });
    }
    if (this.#known.has(name)) throw this.#taken(name);
    if (this.#known.size >= this.limits.count) {
      throw new CraneError(
        'E_HTTP_QUOTA',
        `the service keeps ${this.#known.size} already, the limit is ${this.limits.count}`,
        { hint: 'delete one first' },
      );
    }
    this.#checkBytes(0);
  }

  /**
   * One at a time, so that the limits hold exactly. make writes files into an empty folder, and tells what is there.
   * @throws CraneError E_QUEUE_FULL while another is made, E_USAGE, E_EXISTS, E_HTTP_QUOTA, E_IO_WRITE, and what make throws
   */
  async add(name: string, make: (folder: string) => Promise<Omit<T, 'name' | 'bytes'>>): Promise<T> {
    this.checkFree(name);
    if (this.#isAdding)
      throw new CraneError('E_QUEUE_FULL', `another ${this.#what} is being made: one is made at a time`);
    this.#isAdding = true;
    const staging = join(this.#folder, `.${name}.${randomBytes(6).toString('hex')}.new`);
    try {
      await makeFolder(staging);
      const told = await make(staging);
      const bytes = await syncedBytes(staging);
      this.#checkBytes(bytes);
      const about = this.#checked({ ...told, name, bytes });
      await writeSynced(join(staging, k_about), JSON.stringify(about));
      await this.#publish(staging, name);
      this.#known.set(name, about);
      return about;
    } catch (thrown) {
      if (thrown instanceof CraneError) throw thrown;
      throw codedWriteError(name, thrown, '--data-folder');
    } finally {
      this.#isAdding = false;
      await rm(staging, { recursive: true, force: true }).catch(() => {});
    }
  }

  /** What is at work with it goes on. @throws CraneError E_HTTP_NOT_FOUND, E_IO_WRITE */
  async remove(name: string): Promise<void> {
    const about = this.get(name);
    // Nobody finds it from now on, also while its files go.
    this.#known.delete(name);
    const gone = join(this.#folder, `.${name}.${randomBytes(6).toString('hex')}.gone`);
    try {
      await rename(join(this.#folder, name), gone);
    } catch (thrown) {
      this.#known.set(name, about);
      throw codedWriteError(name, thrown, '--data-folder');
    }
    // What stays of it is removed by the next start.
    await rm(gone, { recursive: true, force: true }).catch(() => {});
  }

  /** As the next start will read it: what it would not take must not be kept now. */
  #checked(about: object): T {
    const { success, data, error } = this.#about.safeParse(about);
    if (success) return data;
    throw new CraneError(
      'E_INTERNAL',
      `what is told of the ${this.#what} cannot be kept: ${z.prettifyError(error)}`,
    );
  }

  /** A folder takes the place of nothing but of an empty one. */
  async #publish(staging: string, name: string): Promise<void> {
    try {
      await rename(staging, join(this.#folder, name));
    } catch (thrown) {
      const { code = '' } = thrown as NodeJS.ErrnoException;
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) throw this.#taken(name);
      throw thrown;
    }
  }

  #checkBytes(more: number): void {
    const used = this.list().reduce((sum, { bytes }) => sum + bytes, 0);
    const isFull = more === 0 ? used >= this.limits.bytes : used + more > this.limits.bytes;
    if (!isFull) return;
    const wanted = more === 0 ? '' : `, this ${this.#what} has ${more}`;
    throw new CraneError(
      'E_HTTP_QUOTA',
      `the service keeps ${used} bytes${wanted}, the limit is ${this.limits.bytes}`,
      { hint: 'delete one first, or send fewer pictures' },
    );
  }

  #taken(name: string): CraneError {
    return new CraneError('E_EXISTS', `a ${this.#what} called "${name}" is there already`, {
      hint: 'choose another name, or delete that one first',
    });
  }
}

async function syncedBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    bytes += (await stat(path)).size;
    const file = await open(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
  return bytes;
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
