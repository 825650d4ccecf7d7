/** Reads a finished run from its folder, as the report and anybody else wants it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { readNpy } from '../files/npy.js';
import { codedReadError } from '../files/open-file.js';
import type { MapValues } from '../metrics/index.js';
import { checkPath, wrongValue } from '../wrong-value.js';
import { decodeRun } from './run-json.js';
import type { ScoredPicture, TestRun } from './test-run.js';

/** @throws CraneError E_USAGE, E_IO_READ, E_INPUT_NOT_FOUND when `folder` holds no finished run */
export async function readTestRun(folder: string): Promise<TestRun> {
  checkPath('the folder of a test', folder);
  const path = join(folder, 'results.json');
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw codedReadError(path, thrown);
  });
  try {
    return decodeRun(text);
  } catch (cause) {
    throw new CraneError('E_IO_READ', `${path}: not the results of a test (${(cause as Error).message})`, {
      cause,
    });
  }
}

/** The map that the figures were made from; undefined when it was not kept. @throws CraneError E_USAGE, E_IO_READ, E_INPUT_* */
export async function mapOf(folder: string, picture: ScoredPicture): Promise<MapValues | undefined> {
  checkPath('the folder of a test', folder);
  if (picture?.map !== null && typeof picture?.map !== 'string')
    throw wrongValue('a scored picture of a test', 'the picture', picture);
  return picture.map === null ? undefined : readNpy(join(folder, ...picture.map.split('/')));
}
