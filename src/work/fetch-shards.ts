/** Shards that lie in a store, brought here: merging reads each twice. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { temporaryFolder } from '../files/temporary-folder.js';
import type { Store } from '../stores/store.js';
import { isOfShard } from './find-shards.js';

/** @param use gets the folder, which is gone afterwards. @throws CraneError E_SHARDS where there are none, and of the store */
export async function withFetchedShards<T>(store: Store, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  try {
    let count = 0;
    for await (const { key } of store.list('results.')) {
      if (!isOfShard(key)) continue;
      await store.download(key, join(folder, key));
      count++;
    }
    if (count === 0) {
      throw new CraneError('E_SHARDS', `${store.address}: neither a submission nor shards are kept there`, {
        hint: `made by: submit INPUTS --out ${store.address}, or score INPUTS --shard 1/3 --out ${store.address}`,
      });
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
