/** A file that is written as a stream, at a path or in a store, and that is there when it is whole. */
import type { WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { streamWhole } from '../files/stream-whole.js';
import { temporaryFolder } from '../files/temporary-folder.js';
import { exists, type WriteOptions } from '../files/write-whole.js';
import { isRemote, openStore } from './open-store.js';

/** For a store the file is made here first. @throws CraneError as streamWhole, and of the store */
export async function streamTo<T>(
  address: string,
  options: WriteOptions,
  write: (stream: WriteStream) => Promise<T>,
): Promise<T> {
  if (!isRemote(address)) return streamWhole(address, options, write);
  const end = address.lastIndexOf('/');
  const [store, name] = [await openStore(address.slice(0, end)), address.slice(end + 1)];
  if (!options.overwrite && (await store.has(name))) throw exists(address);
  const folder = await temporaryFolder();
  try {
    const made = await streamWhole(join(folder, 'whole'), options, write);
    await store.upload(name, join(folder, 'whole'));
    return made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
