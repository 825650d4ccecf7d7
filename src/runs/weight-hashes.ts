/**
 * The sha256 of weight files as they are now. Declared hashes are not taken: features must never be mistaken for
 * those of other weights. A large file is hashed once and remembered in the cache folder by path, size and times.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sha256OfFile } from '../files/content-hash.js';
import { writeWhole } from '../files/write-whole.js';

const k_remembered = 64 * 2 ** 20;
/** A file may change again within the resolution of its time: a young one is not remembered. */
const k_settledMs = 10_000;

const known = new Map<string, Promise<string>>();

/** @param cacheFolder where hashes are remembered; it need not exist */
export async function weightHash(path: string, cacheFolder: string): Promise<string> {
  const facts = await stat(path, { bigint: true });
  const stamp = [resolve(path), facts.size, facts.mtimeNs, facts.ctimeNs, facts.ino].join('\n');
  const hashing = known.get(stamp) ?? hashOf(path, stamp, facts, cacheFolder);
  known.set(stamp, hashing);
  hashing.catch(() => known.delete(stamp));
  return hashing;
}

async function hashOf(
  path: string,
  stamp: string,
  { size, mtimeMs }: { size: bigint; mtimeMs: bigint },
  cacheFolder: string,
): Promise<string> {
  if (size < k_remembered) return sha256OfFile(path);
  const record = join(cacheFolder, 'weights', createHash('sha256').update(stamp).digest('hex'));
  const remembered = (await readFile(record, 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f]{64}$/.test(remembered)) return remembered;
  const sha256 = await sha256OfFile(path);
  // A cache that cannot be written costs time, no more.
  if (Date.now() - Number(mtimeMs) > k_settledMs)
    await writeWhole(record, `${sha256}\n`, { overwrite: true }).catch(() => {});
  return sha256;
}
