/** From what --model names (a folder, a model.json, a name) to the model. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CraneError } from '../errors.js';
import { cacheFolder } from '../files/cache-folder.js';
import { kindOf } from '../files/kind-of.js';
import { type Model, readModelJson } from './model-json.js';
import { isCraneVariant } from './model-names.js';
import { readUserCalibrations } from './user-calibrations.js';

/** Models inside the package; src/engine and dist/engine lie at the same depth. */
export const embeddedModels = fileURLToPath(new URL('../../models/', import.meta.url));

/**
 * A name of an embedded model is that model, whatever lies in the working directory (./name says the folder); then a
 * path that exists; then a name in the cache folder. @throws CraneError E_MODEL_NOT_FOUND, E_MODEL_JSON or E_CALIBRATION
 */
export async function findModel(given: string, env: NodeJS.ProcessEnv = process.env): Promise<Model> {
  const model = await readModel(given, env);
  const userCalibrations = await readUserCalibrations(model.name, env);
  return userCalibrations.length === 0 ? model : { ...model, userCalibrations };
}

async function readModel(given: string, env: NodeJS.ProcessEnv): Promise<Model> {
  const isEmbedded = isName(given) && (await kindOf(join(embeddedModels, given, 'model.json'))) === 'file';
  const kind = isEmbedded ? undefined : await kindOf(given);
  if (kind === 'file') return readModelJson(given);
  if (kind === 'folder') return readModelJson(join(given, 'model.json'));
  if (!isName(given)) {
    throw new CraneError('E_MODEL_NOT_FOUND', `${given}: there is no such folder or file`);
  }
  const places = [embeddedModels, join(await cacheFolder(env), 'models')];
  for (const place of places) {
    const path = join(place, given, 'model.json');
    if ((await kindOf(path)) === 'file') return readModelJson(path);
  }
  const known = (await Promise.all(places.map(namesIn))).flat();
  throw new CraneError(
    'E_MODEL_NOT_FOUND',
    `no model is called "${given}"; there are ${known.join(', ') || 'none'}`,
    {
      hint: isCraneVariant(given)
        ? `fetch it once: npx crane-native weights pull ${given}`
        : `looked into ${places.join(' and ')}; see npx crane-native weights list`,
    },
  );
}

function isName(given: string): boolean {
  return /^[a-z0-9][a-z0-9+._-]*$/.test(given);
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const checked = await Promise.all(
    names.map(async (name) => ((await kindOf(join(folder, name, 'model.json'))) ? name : '')),
  );
  return checked.filter((name) => name !== '').sort();
}
