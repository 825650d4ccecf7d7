/** A file that is written as a stream, at a path or in a store, and that is there when it is whole. */
import type { WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { streamWhole } from '../files/stream-whole.js';
import { temporaryFolder } from '../files/temporary-folder.js';
import { exists, type WriteOptions } from '../files/write-whole.js';
import { shownAddress } from '../terminal/shown-address.js';
import { isRemote, openStore } from './open-store.js';

/** For a store the file is made here first. @throws CraneError as streamWhole, E_USAGE, and of the store */
export async function streamTo<T>(
  address: string,
  options: WriteOptions,
  write: (stream: WriteStream) => Promise<T>,
): Promise<T> {
  if (!isRemote(address)) return streamWhole(address, options, write);
  const { folder: place, name } = objectOf(address);
  const store = await openStore(place);
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

/** @throws CraneError E_USAGE where the address names no object: a whole bucket, or a folder of it */
function objectOf(address: string): { folder: string; name: string } {
  const [, folder, name] = /^([^:]+:\/\/[^/]+(?:\/.*)?)\/([^/]+)$/s.exec(address) ?? [];
  if (folder !== undefined && name !== undefined) return { folder, name };
  throw new CraneError('E_USAGE', `${shownAddress(address)}: expected s3://BUCKET/KEY`, {
    hint: 'end it in the name of the file that is to be there',
  });
}
