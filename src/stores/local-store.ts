/** Objects as files of a folder, which several machines may share. */
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CraneError } from '../errors.js';
import { codedReadError } from '../files/open-file.js';
import { streamWhole } from '../files/stream-whole.js';
import { codedWriteError, isThere, writeWhole } from '../files/write-whole.js';
import type { Store, StoredObject } from './store.js';

export class LocalStore implements Store {
  constructor(readonly address: string) {}

  async read(key: string): Promise<Uint8Array> {
    return readFile(this.#path(key)).catch((cause: unknown) => {
      throw codedReadError(this.#path(key), cause);
    });
  }

  write(key: string, data: Uint8Array | string): Promise<void> {
    return writeWhole(this.#path(key), data, { overwrite: true });
  }

  async create(key: string, data: Uint8Array | string): Promise<boolean> {
    try {
      await writeWhole(this.#path(key), data, { overwrite: false });
      return true;
    } catch (thrown) {
      if (thrown instanceof CraneError && thrown.code === 'E_EXISTS') return false;
      throw thrown;
    }
  }

  upload(key: string, path: string): Promise<void> {
    return streamWhole(this.#path(key), { overwrite: true }, (stream) =>
      pipeline(createReadStream(path), stream, { end: false }),
    );
  }

  download(key: string, path: string): Promise<void> {
    return streamWhole(path, { overwrite: true }, (stream) =>
      pipeline(createReadStream(this.#path(key)), stream, { end: false }),
    );
  }

  has(key: string): Promise<boolean> {
    return isThere(this.#path(key));
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true }).catch((cause: unknown) => {
      throw codedWriteError(this.#path(key), cause);
    });
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const folder = prefix.includes('/') ? prefix.slice(0, prefix.lastIndexOf('/')) : '';
    for await (const object of this.#walk(folder)) if (object.key.startsWith(prefix)) yield object;
  }

  async *#walk(folder: string): AsyncGenerator<StoredObject> {
    const entries = await readdir(join(this.address, folder), { withFileTypes: true }).catch(
      (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return [];
        throw codedReadError(join(this.address, folder), cause);
      },
    );
    // A folder stands where its files' keys do: "a/" after "a.b", as in a bucket.
    const named = entries.map((entry) => ({
      entry,
      name: entry.isDirectory() ? `${entry.name}/` : entry.name,
    }));
    named.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    for (const { entry } of named) {
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#walk(key);
      else if (entry.isFile() && !/^\..*\.tmp$/.test(entry.name))
        yield { key, bytes: (await stat(this.#path(key))).size };
    }
  }

  close(): void {}

  #path(key: string): string {
    const parts = key.split('/');
    if (parts.some((part) => part === '..' || part.includes(sep) || part.includes('\0')))
      throw new CraneError('E_USAGE', `${key}: not the key of an object`);
    return join(this.address, ...parts);
  }
}
