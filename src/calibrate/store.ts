/** Keeps a calibration with its model: in model.json, in a copy of the model, or in a file of the user's. */
import { constants } from 'node:fs';
import { access, cp, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CraneError } from '../errors.js';
import type { LockWait } from '../files/folder-lock.js';
import { removeLeft } from '../files/left-files.js';
import { makeFolder } from '../files/make-folder.js';
import { temporaryBeside } from '../files/temporary-name.js';
import { codedWriteError, writeWhole } from '../files/write-whole.js';
import type { Calibration } from '../models/calibration.js';
import { toText } from '../models/crane-models.js';
import { embeddedModels } from '../models/find-model.js';
import { changeModel, checkPlace, publishModel } from '../models/model-changes.js';
import { type Model, type ModelDescription, readModelJson } from '../models/model-json.js';
import { writeUserCalibration } from '../models/user-calibrations.js';

export interface KeepOptions {
  model: Model;
  calibration: Calibration;
  /** the calibrated settings are the model's own: its `threshold` and `mapThreshold` are then set too */
  isOwnSettings: boolean;
  env: NodeJS.ProcessEnv;
}

/**
 * Into model.json where the folder is the user's, else into a file of the user's.
 * @returns the file. @throws CraneError E_IO_WRITE
 */
export async function keepWithModel(options: KeepOptions, waiting: LockWait): Promise<string> {
  const { model, calibration, env } = options;
  if (!(await isUsers(model))) return writeUserCalibration(calibration, env);
  return changeModel(model.folder, waiting, () => writeModelJson(model.folder, options));
}

/**
 * A whole copy of the model's folder with the calibration in it, or none.
 * @returns the copy's model.json. @throws CraneError E_EXISTS, E_IO_WRITE
 */
export async function keepInCopy(out: string, overwrite: boolean, options: KeepOptions): Promise<string> {
  const folder = resolve(out);
  const from = options.model.folder;
  if (folder === from || !relative(from, folder).startsWith('..')) {
    throw new CraneError('E_USAGE', `${out}: lies in the model's own folder`, {
      hint: 'choose a folder elsewhere for the copy, or --write to change the model itself',
    });
  }
  await checkPlace(folder, overwrite);
  const temporary = temporaryBeside(folder);
  try {
    await makeFolder(dirname(folder));
    await removeLeft(dirname(folder), { of: folder });
    await cp(from, temporary, { recursive: true, dereference: true, mode: constants.COPYFILE_FICLONE });
    await writeModelJson(temporary, options);
    await publishModel(temporary, folder, overwrite);
  } catch (thrown) {
    throw codedWriteError(out, thrown);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return join(folder, 'model.json');
}

async function isUsers({ folder }: Model): Promise<boolean> {
  if (!relative(embeddedModels, folder).startsWith('..')) return false;
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function writeModelJson(folder: string, { calibration, isOwnSettings }: KeepOptions): Promise<string> {
  const path = join(folder, 'model.json');
  const { folder: _, userCalibrations: __, ...old } = await readModelJson(path);
  const others = (old.calibrations ?? []).filter(({ settings }) => settings !== calibration.settings);
  const changed: ModelDescription = { ...old, calibrations: [...others, calibration] };
  if (isOwnSettings) {
    changed.threshold = calibration.image.threshold;
    if (calibration.map) changed.mapThreshold = calibration.map.threshold;
  }
  await writeWhole(path, toText(changed), { overwrite: true });
  return path;
}
