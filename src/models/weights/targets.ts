/** What `inspect` and `verify` were pointed at: a weight file or its parts, or a model (folder, model.json, name) with its files. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { CraneError } from '../../errors.js';
import { findModel } from '../find-model.js';
import { type Model, modelFile } from '../model-json.js';
import type { AddressTable, PublicFile } from './addresses.js';
import { storePath } from './store.js';

export interface TargetFile {
  path: string;
  promise?: FilePromise;
}

/** What somebody says the file is. */
export interface FilePromise {
  by: 'model.json' | 'the table of published files';
  sha256: string;
  bytes?: number;
}

export interface Target {
  files: TargetFile[];
  model?: Model;
}

/** @throws CraneError E_WEIGHTS_NOT_FOUND, E_IO_READ, E_MODEL_* */
export async function findTarget(
  given: string,
  table: AddressTable,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const facts = await stat(given).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EACCES')
      throw new CraneError('E_IO_READ', `${given}: may not be read (${cause.code})`, { cause });
    return undefined;
  });
  if (facts !== undefined && !facts.isFile() && !facts.isDirectory())
    throw new CraneError('E_IO_READ', `${given}: neither a file nor a folder`, {
      hint: 'name a weight file, or a model: npx crane-native weights list',
    });
  const isFile = facts?.isFile() && basename(given) !== 'model.json';
  if (isFile || (facts?.isDirectory() && (await holdsWeightsOnly(given))))
    return { files: [{ path: given }] };
  const published = facts ? undefined : table.files.find(({ name }) => name === given);
  if (published) return { files: [await storedFile(published, env)] };
  if (facts === undefined && looksLikeFile(given)) {
    throw new CraneError('E_WEIGHTS_NOT_FOUND', `${given}: there is no such file`, {
      hint: 'check the path; the names of models: npx crane-native weights list',
    });
  }
  const model = await findModel(given, env).catch((thrown: unknown) => {
    throw orPull(thrown, given, table);
  });
  const parts = [...model.weights, ...(model.source ? [model.source.weights] : [])];
  const prompts = Object.values(model.prompts.sets);
  const files = [...parts, ...prompts].map((part) => ({
    path: modelFile(model, part.file),
    promise: {
      by: 'model.json' as const,
      sha256: part.sha256,
      ...('bytes' in part ? { bytes: part.bytes } : {}),
    },
  }));
  return { files, model };
}

/** A model in parts, as it was downloaded: the addon reads its files together. */
async function holdsWeightsOnly(folder: string): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => []);
  return (
    !names.includes('model.json') && names.some((name) => /\.(safetensors|bin|pth?|index\.json)$/.test(name))
  );
}

async function storedFile(file: PublicFile, env: NodeJS.ProcessEnv): Promise<TargetFile> {
  const path = await storePath(file, env);
  if (!(await stat(path).catch(() => undefined))?.isFile()) throw notPulled(file.name);
  return {
    path,
    ...(file.sha256 ? { promise: { by: 'the table of published files', sha256: file.sha256 } } : {}),
  };
}

function orPull(thrown: unknown, given: string, table: AddressTable): unknown {
  const isPublic = table.models.some(({ name }) => name === given);
  const isMissing = thrown instanceof CraneError && thrown.code === 'E_MODEL_NOT_FOUND';
  return isPublic && isMissing ? notPulled(given) : thrown;
}

function notPulled(name: string): CraneError {
  return new CraneError('E_WEIGHTS_NOT_FOUND', `${name}: is not on this machine`, {
    hint: `fetch it: npx crane-native weights pull ${name}`,
  });
}

/** Model names have no folders and no ending of a weight file. */
function looksLikeFile(given: string): boolean {
  return /[\\/]/.test(given) || ['.safetensors', '.pt', '.pth', '.bin', '.json'].includes(extname(given));
}
