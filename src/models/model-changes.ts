/** Changes of a model's folder: by one process at a time, and of nothing that the model still names. */
import { createHash } from 'node:crypto';
import { readdir, rename, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { CraneError } from '../errors.js';
import { type LockWait, withFolderLock } from '../files/folder-lock.js';
import { foldersLeft } from '../files/left-files.js';
import { temporaryBeside } from '../files/temporary-name.js';
import { codedWriteError, exists, isThere } from '../files/write-whole.js';
import type { ModelDescription } from './model-json.js';

/**
 * Whoever changes a model.json reads it within `work`, so that nothing is lost of what another process wrote. The lock lies in the folder:
 * where that is a volume of its own, nobody may write beside it.
 * @throws what `work` throws; CraneError E_CANCELLED, E_IO_WRITE
 */
export async function changeModel<T>(folder: string, waiting: LockWait, work: () => Promise<T>): Promise<T> {
  const described = join(folder, 'model.json');
  try {
    return await withFolderLock(described, waiting, work);
  } catch (thrown) {
    throw thrown instanceof Error && 'syscall' in thrown ? codedWriteError(described, thrown) : thrown;
  }
}

/** Of a file's sha256, in the names of files that are told apart by their content. */
export const k_nameDigits = 12;

/** Takes a file of the folder away unless the model, as it is now, still names it. */
export async function removeUnused(folder: string, file: string, model: ModelDescription): Promise<void> {
  const { weights, source, prompts } = model;
  const named = [...weights, ...(source ? [source.weights] : []), ...Object.values(prompts.sets)];
  if (named.some((each) => normalize(each.file) === normalize(file))) return;
  await rm(join(folder, file), { force: true });
}

/**
 * Only a model is ever replaced: --force must not delete a folder of something else. A model that a killed process had set aside is there again.
 * @throws CraneError E_EXISTS, E_IO_WRITE
 */
export async function checkPlace(folder: string, overwrite: boolean): Promise<void> {
  await putBack(folder);
  if (!(await isThere(folder))) return;
  if (!overwrite) throw exists(folder);
  const names = await readdir(folder).catch(() => undefined);
  if (names?.length === 0 || names?.includes('model.json')) return;
  throw new CraneError(
    'E_EXISTS',
    `${folder}: exists and is not a model folder, so --force leaves it alone`,
    {
      hint: 'choose another --out',
    },
  );
}

/** An older folder steps aside and is deleted last: at no time is there half a model under the name. @throws CraneError E_EXISTS */
export async function publishModel(staging: string, folder: string, overwrite: boolean): Promise<void> {
  if (!(await isThere(folder))) return rename(staging, folder);
  await checkPlace(folder, overwrite);
  const aside = temporaryBeside(asideOf(folder));
  const now = new Date();
  // By its time it is known whether a process of another machine may still be at work on it.
  await utimes(folder, now, now).catch(() => {});
  await rename(folder, aside);
  try {
    await rename(staging, folder);
  } catch (thrown) {
    await rename(aside, folder);
    throw thrown;
  }
  await discard(aside, folder);
}

/** The whole name counts, which a temporary name has no room for: a model must not be put back as another one. */
function asideOf(folder: string): string {
  const name = basename(folder);
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return join(dirname(folder), `${[...name].slice(0, 12).join('')}.${digits}.old`);
}

/** After a process was killed while it replaced this folder: the older one is put back, or goes where the new one is in place. */
async function putBack(folder: string): Promise<void> {
  for (const aside of await foldersLeft(asideOf(folder))) {
    if (await isThere(folder)) await discard(aside, folder);
    else
      await rename(aside, folder).catch((thrown: unknown) => {
        throw codedWriteError(folder, thrown);
      });
  }
}

/** First it gets a name by which nobody puts back what is half deleted. The new one is in place: what cannot be deleted is no failure. */
async function discard(aside: string, folder: string): Promise<void> {
  const discarded = temporaryBeside(folder);
  await rename(aside, discarded)
    .then(() => rm(discarded, { recursive: true, force: true }))
    .catch(() => {});
}
