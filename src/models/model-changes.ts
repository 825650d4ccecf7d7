/** Changes of a model's folder: by one process at a time, and of nothing that the model still names. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { CraneError } from '../errors.js';
import { withFolderLock } from '../files/folder-lock.js';
import { codedWriteError, exists, isThere } from '../files/write-whole.js';
import type { ModelDescription } from './model-json.js';

/**
 * Whoever changes a model.json reads it within `work`, so that nothing is lost of what another process wrote. The lock lies in the folder:
 * where that is a volume of its own, nobody may write beside it.
 * @throws what `work` throws; CraneError E_IO_WRITE
 */
export async function changeModel<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const described = join(folder, 'model.json');
  try {
    return await withFolderLock(described, () => {}, work);
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

/** Only a model is ever replaced: --force must not delete a folder of something else. @throws CraneError E_EXISTS */
export async function checkPlace(folder: string, overwrite: boolean): Promise<void> {
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
  const aside = `${staging}.old`;
  await rename(folder, aside);
  try {
    await rename(staging, folder);
  } catch (thrown) {
    await rename(aside, folder);
    throw thrown;
  }
  await rm(aside, { recursive: true, force: true });
}
