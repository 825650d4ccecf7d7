/** Puts weight files and prompts together to a model folder in `<cache>/models`, where `--model` looks. */
import { constants } from 'node:fs';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CraneError } from '../../errors.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { type LockWait, withFolderLock } from '../../files/folder-lock.js';
import { removeLeft } from '../../files/left-files.js';
import { makeFolder } from '../../files/make-folder.js';
import { temporaryBeside } from '../../files/temporary-name.js';
import { codedWriteError, writeWhole } from '../../files/write-whole.js';
import { craneTexts, describeCrane, type PromptSetTable, toText, type WeightPart } from '../crane-models.js';
import { changeModel, k_nameDigits, removeUnused } from '../model-changes.js';
import { type Model, type ModelDescription, readModelJson } from '../model-json.js';
import type { CraneKind, SourceKind } from '../model-names.js';
import { describeSystem } from '../system-models.js';
import type { OwnPrompts } from './own-prompts.js';
import type { StoredFile } from './store.js';

export interface FolderParts {
  name: string;
  kind: CraneKind | { method: string };
  sourceKind?: SourceKind;
  description: string;
  licence: string;
  weights: StoredFile;
  source?: StoredFile;
  /** the first is the default, unless there are `ownPrompts` */
  prompts: { set: string; learnedOn: string[]; stored: StoredFile }[];
  ownPrompts?: OwnPrompts & { overwrite: boolean };
}

export async function modelFolder(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  return join(await cacheFolder(env), 'models', name);
}

/** @returns the folder. @throws CraneError E_IO_WRITE */
export async function makeModelFolder(
  parts: FolderParts,
  env: NodeJS.ProcessEnv,
  waiting: LockWait,
): Promise<string> {
  const folder = await modelFolder(parts.name, env);
  try {
    await withFolderLock(folder, waiting, () => fill(folder, parts, waiting));
  } catch (thrown) {
    throw thrown instanceof CraneError ? thrown : codedWriteError(folder, thrown);
  }
  return folder;
}

/** @throws CraneError E_EXISTS where the model has other prompts under this name, such as those of another run's epoch_5.pth */
export async function checkOwnPrompts(
  folder: string,
  { set, sha256, overwrite }: NonNullable<FolderParts['ownPrompts']>,
): Promise<void> {
  const sets = (await readOld(folder))?.prompts.sets ?? {};
  if (overwrite || !Object.hasOwn(sets, set) || sets[set]!.sha256 === sha256) return;
  throw new CraneError('E_EXISTS', `${folder}: has other prompts as set "${set}"`, {
    hint: 'give the file another name, after which the set is called, or put it in their place with --force',
  });
}

async function fill(folder: string, parts: FolderParts, waiting: LockWait): Promise<void> {
  await makeFolder(folder);
  const { name, kind, sourceKind, description, licence, ownPrompts } = parts;
  if (ownPrompts) await checkOwnPrompts(folder, ownPrompts);
  const weights = await putInto(folder, parts.weights);
  const source = parts.source && (await putInto(folder, parts.source));
  const sets: PromptSetTable['sets'] = {};
  for (const { set, learnedOn, stored } of parts.prompts) {
    const { file, sha256 } = await putInto(folder, stored);
    sets[set] = { file, sha256, learnedOn, ...craneTexts };
  }
  if (ownPrompts) {
    const { set, sha256, learnedOn } = ownPrompts;
    sets[set] = { file: await putOwn(folder, ownPrompts), sha256, learnedOn: learnedOn ?? [], ...craneTexts };
  }
  const common = { name, description, licence, weights };
  if (typeof kind !== 'string') {
    return describe(folder, describeSystem({ ...common, ...kind }), undefined, waiting);
  }
  const made = describeCrane({
    kind,
    ...common,
    ...(sourceKind ? { sourceKind } : {}),
    ...(source ? { source } : {}),
    prompts: { default: ownPrompts?.set ?? parts.prompts[0]?.set ?? '', sets },
  });
  await describe(folder, made, ownPrompts?.set, waiting);
}

/** @param own set of the user's, which becomes the default; its older file goes last */
async function describe(
  folder: string,
  made: ModelDescription,
  own: string | undefined,
  waiting: LockWait,
): Promise<void> {
  await changeModel(folder, waiting, async () => {
    const old = await readOld(folder);
    const kept = keepUsersChoices(made, old, own !== undefined);
    // Last: a folder without model.json is not a model yet.
    await writeWhole(join(folder, 'model.json'), toText(kept), { overwrite: true });
    if (old && own !== undefined && Object.hasOwn(old.prompts.sets, own))
      await removeUnused(folder, old.prompts.sets[own]!.file, kept);
  });
}

/** Named by its content: while model.json names another one, that stays as it is. */
async function putOwn(folder: string, { path, set, sha256 }: OwnPrompts): Promise<string> {
  const file = `prompts-${set}-${sha256.slice(0, k_nameDigits)}${/\.[a-z]+$/i.exec(basename(path))?.[0] ?? ''}`;
  await replaceBy(join(folder, file), (temporary) => copyFile(path, temporary, constants.COPYFILE_FICLONE));
  return file;
}

/** Linked where the file system can, else copied: `crane` and `crane+` share 900 MB. */
async function putInto(folder: string, { path, sha256, bytes }: StoredFile): Promise<WeightPart> {
  const file = basename(path);
  await replaceBy(join(folder, file), async (temporary) => {
    try {
      await link(path, temporary);
    } catch {
      await copyFile(path, temporary, constants.COPYFILE_FICLONE);
    }
  });
  return { file, sha256, bytes };
}

async function replaceBy(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryBeside(path);
  await removeLeft(dirname(path), { of: path });
  try {
    await make(temporary);
    await rename(temporary, path);
  } finally {
    // renaming a link onto another name of the same file leaves both
    await rm(temporary, { force: true });
  }
}

async function readOld(folder: string): Promise<Model | undefined> {
  return readModelJson(join(folder, 'model.json')).catch(() => undefined);
}

/** Pulling again adds to a model: other prompt sets and thresholds of the user's stay. */
function keepUsersChoices(
  made: ModelDescription,
  old: Model | undefined,
  isDefaultChosen: boolean,
): ModelDescription {
  if (!old) return made;
  const sets = { ...old.prompts.sets, ...made.prompts.sets };
  const shaOf = (from: typeof sets, name: string | undefined) =>
    name === undefined ? undefined : from[name]?.sha256;
  const isOldKept = !isDefaultChosen && shaOf(sets, old.prompts.default) !== undefined;
  const chosen = isOldKept ? old.prompts.default : made.prompts.default;
  const isSame = shaOf(sets, chosen) === shaOf(old.prompts.sets, old.prompts.default);
  return {
    ...made,
    ...(old.calibrations ? { calibrations: old.calibrations } : {}),
    prompts: { default: chosen, sets },
    // a threshold holds for the prompts it was chosen with
    ...(isSame ? { threshold: old.threshold, mapThreshold: old.mapThreshold } : {}),
  };
}
