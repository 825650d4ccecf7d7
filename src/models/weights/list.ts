/** What models and published files there are, and which of them are on this machine. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../../errors.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { formatBytes } from '../../terminal/bytes.js';
import { embeddedModels } from '../find-model.js';
import { type Model, modelFile, readModelJson } from '../model-json.js';
import type { AddressTable, PublicFile, PublicModel } from './addresses.js';
import { partOf } from './fetch-file.js';
import { storePath } from './store.js';

export interface Listed {
  name: string;
  kind: 'model' | 'file';
  what: string;
  licence: string;
  /** on disk, or about what a download brings */
  bytes: number;
  state: 'complete' | 'incomplete' | 'to pull';
  /** why incomplete */
  missing?: string;
  /** the model's folder or the file, when there is one */
  where?: string;
  /** embedded in the package, in the cache, or only at its publisher's */
  place: 'embedded' | 'cache' | 'public';
}

/** Models first, then files. Looks at names and sizes; `verify` looks inside. */
export async function listWeights(table: AddressTable, env: NodeJS.ProcessEnv): Promise<Listed[]> {
  const cached = join(await cacheFolder(env), 'models');
  const models = [...(await modelsIn(embeddedModels, 'embedded')), ...(await modelsIn(cached, 'cache'))];
  const here = new Set(models.map(({ name }) => name));
  const toPull = table.models.filter(({ name }) => !here.has(name)).map((model) => pullable(model, table));
  const files = await Promise.all(table.files.map((file) => listFile(file, env)));
  return [...models, ...toPull, ...files];
}

async function modelsIn(folder: string, place: 'embedded' | 'cache'): Promise<Listed[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const listed: Listed[] = [];
  for (const name of names) {
    const where = join(folder, name);
    if (name.startsWith('.') || !(await stat(where).catch(() => undefined))?.isDirectory()) continue;
    try {
      listed.push(await listModel(await readModelJson(join(where, 'model.json')), place));
    } catch (thrown) {
      if (!(thrown instanceof CraneError)) throw thrown;
      const missing = thrown.code === 'E_MODEL_NOT_FOUND' ? 'model.json is missing' : thrown.message;
      listed.push({
        name,
        kind: 'model',
        what: '',
        licence: '',
        bytes: 0,
        state: 'incomplete',
        missing,
        where,
        place,
      });
    }
  }
  return listed;
}

async function listModel(model: Model, place: Listed['place']): Promise<Listed> {
  const parts: { file: string; bytes?: number }[] = [
    ...model.weights,
    ...(model.source ? [model.source.weights] : []),
    ...Object.values(model.prompts.sets).map(({ file }) => ({ file })),
  ];
  let bytes = 0;
  const faults: string[] = [];
  for (const { file, bytes: promised } of parts) {
    const size = (await stat(modelFile(model, file)).catch(() => undefined))?.size;
    bytes += size ?? 0;
    if (size === undefined) faults.push(`${file} is missing`);
    else if (promised !== undefined && size !== promised)
      faults.push(`${file} has ${size} of ${promised} bytes`);
  }
  return {
    name: model.name,
    kind: 'model',
    what: model.description,
    licence: model.licence,
    bytes,
    state: faults.length === 0 ? 'complete' : 'incomplete',
    ...(faults.length > 0 ? { missing: faults.join(', ') } : {}),
    where: model.folder,
    place,
  };
}

function pullable(model: PublicModel, table: AddressTable): Listed {
  const names = [
    model.weights,
    ...(model.source ? [model.source] : []),
    ...model.prompts.map(({ file }) => file),
  ];
  const files = table.files.filter(({ name }) => names.includes(name));
  return {
    name: model.name,
    kind: 'model',
    what: model.what,
    licence: [...new Set(files.map(({ licence }) => licence))].join(' AND '),
    bytes: files.reduce((sum, { megabytes }) => sum + megabytes * 1e6, 0),
    state: 'to pull',
    place: 'public',
  };
}

async function listFile(file: PublicFile, env: NodeJS.ProcessEnv): Promise<Listed> {
  const path = await storePath(file, env);
  const size = (await stat(path).catch(() => undefined))?.size;
  const begun = (await stat(partOf(path)).catch(() => undefined))?.size;
  const about = { name: file.name, kind: 'file' as const, what: file.what, licence: file.licence };
  if (size !== undefined) return { ...about, bytes: size, state: 'complete', where: path, place: 'cache' };
  const bytes = file.megabytes * 1e6;
  if (begun === undefined) return { ...about, bytes, state: 'to pull', place: 'public' };
  const missing = `${formatBytes(begun)} of about ${formatBytes(bytes)} have come`;
  return { ...about, bytes, state: 'incomplete', missing, where: partOf(path), place: 'cache' };
}
