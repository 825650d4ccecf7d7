/** A file that is written as a stream, and that gets its name when it is whole. */

import { createWriteStream, type WriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { makeFolder } from './make-folder.js';
import { temporaryBeside } from './temporary-name.js';
import { codedWriteError, exists, isThere, publishNew, type WriteOptions } from './write-whole.js';

/**
 * @param write puts everything on the stream and leaves it open; what it throws is what the caller gets
 * @throws CraneError E_EXISTS before anything is written, E_IO_WRITE; folders on the way are made
 */
export async function streamWhole<T>(
  path: string,
  { overwrite }: WriteOptions,
  write: (stream: WriteStream) => Promise<T>,
): Promise<T> {
  if (!overwrite && (await isThere(path))) throw exists(path);
  const temporary = temporaryBeside(path);
  let stream: WriteStream | undefined;
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx');
    stream = createWriteStream(temporary, { fd: file, autoClose: true, flush: true } as object);
    // A full disk must end the writing, wherever it waits: `write` sees it by the stream being destroyed.
    let fault: unknown;
    stream.on('error', (error) => {
      fault = error;
    });
    const done = finished(stream).catch(() => {});
    const result = await Promise.race([
      write(stream),
      done.then(() => new Promise<never>((_, reject) => reject(fault))),
    ]);
    stream.end();
    await done;
    if (fault !== undefined) throw fault;
    if (overwrite) await rename(temporary, path);
    else await publishNew(temporary, path);
    return result;
  } catch (thrown) {
    stream?.destroy();
    throw codedWriteError(path, thrown);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
