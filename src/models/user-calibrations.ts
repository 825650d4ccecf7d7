/**
 * Calibrations of models that a user cannot write to, such as the embedded one: a file for each label of settings in a
 * folder of the user's. They are read with the model (find-model.ts).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CraneError } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import { type Calibration, calibrationSchema } from './calibration.js';

/** CRANE_CALIBRATIONS, else beside a chosen cache, else in the platform's folder of settings. */
export async function calibrationFolder(env: NodeJS.ProcessEnv): Promise<string> {
  if (env['CRANE_CALIBRATIONS']) return resolve(env['CRANE_CALIBRATIONS']);
  if (env['CRANE_CACHE']) return join(resolve(env['CRANE_CACHE']), 'calibrations');
  try {
    const { default: envPaths } = await import('env-paths');
    return join(envPaths('crane-native', { suffix: '' }).config, 'calibrations');
  } catch (cause) {
    throw new CraneError(
      'E_IO_WRITE',
      'this user has no home folder, so there is no place for calibrations',
      {
        hint: 'name one: export CRANE_CALIBRATIONS=<writable folder>',
        cause,
      },
    );
  }
}

/** @returns the file; an earlier calibration of the same settings is replaced. @throws CraneError E_IO_WRITE */
export async function writeUserCalibration(
  calibration: Calibration,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const path = join(await calibrationFolder(env), `${calibration.settings}.json`);
  await writeWhole(path, `${JSON.stringify(calibration, null, 2)}\n`, { overwrite: true });
  return path;
}

/** All of one model. @throws CraneError E_CALIBRATION for a damaged file: a threshold must not be missing unsaid */
export async function readUserCalibrations(model: string, env: NodeJS.ProcessEnv): Promise<Calibration[]> {
  // Where there is no home folder and no setting, nothing was ever written.
  const folder = await calibrationFolder(env).catch(() => undefined);
  if (folder === undefined) return [];
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((name) => name.startsWith(`${model}@`) && name.endsWith('.json')).sort();
  return Promise.all(own.map((name) => readOne(join(folder, name))));
}

async function readOne(path: string): Promise<Calibration> {
  try {
    return calibrationSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new CraneError(
      'E_CALIBRATION',
      `${path}: is no calibration (${(cause as Error).message.slice(0, 200)})`,
      {
        hint: 'remove the file, then calibrate again with --write',
        cause,
      },
    );
  }
}
