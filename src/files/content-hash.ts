/** sha256 of a file's bytes, read in pieces; 64 hexadecimal digits. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CraneError } from '../errors.js';
import { checkRegular, codedReadError } from './open-file.js';

/** Digits that a prompt file keeps of each picture that it was learned from. */
export const k_pictureDigits = 12;

/** Whoever asks: a folder may hold more files than a process may open, and a picture have a thousand masks. */
const k_openFiles = 16;
let open = 0;
const waiting: (() => void)[] = [];

const k_remembered = 200_000;
/** by path; good while size, time and inode of the file stay the same */
const memo = new Map<string, { stamp: string; hash: string }>();

/** Rejects with what the file system says. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** The same, remembered while the file stays as it is. @throws CraneError E_INPUT_*, E_IO_READ */
export async function contentHash(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    const facts = await stat(absolute, { bigint: true });
    checkRegular(path, facts);
    const { size, mtimeNs, ctimeNs, ino } = facts;
    const stamp = `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
    const known = memo.get(absolute);
    if (known?.stamp === stamp) return known.hash;
    const digest = await whenFree(() => sha256OfFile(absolute));
    memo.delete(absolute);
    memo.set(absolute, { stamp, hash: digest });
    // The oldest entry goes: a Map keeps the order of insertion.
    if (memo.size > k_remembered) memo.delete(memo.keys().next().value!);
    return digest;
  } catch (cause) {
    throw cause instanceof CraneError ? cause : codedReadError(path, cause);
  }
}

async function whenFree<T>(work: () => Promise<T>): Promise<T> {
  while (open >= k_openFiles) await new Promise<void>((resolve) => waiting.push(resolve));
  open++;
  try {
    return await work();
  } finally {
    open--;
    waiting.shift()?.();
  }
}
