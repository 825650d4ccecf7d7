// Works for pool.test.ts, which a thread of the built pool does.
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { CraneError } from '../../../dist/errors.js';
import { inThread } from '../../../dist/threads/pool.js';

export async function doubled({ data }) {
  return { data: data.map((value) => 2 * value), thread: threadId };
}

export async function slow({ ms }) {
  await sleep(ms);
  return threadId;
}

export async function nested({ module }) {
  return inThread(module, () => import('./works.mjs'), 'slow', { ms: 0 });
}

export async function granted({ bytes }, { reserve }) {
  await reserve(bytes);
  return 'taken';
}

export async function failed() {
  throw new CraneError('E_IMAGE_RANGE', 'a.tif: no range', { hint: 'say it' });
}

export async function ended() {
  process.exit(1);
}
