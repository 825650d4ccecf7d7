/** `weights pull`: from a name to a checked file, or to a model folder that `--model` finds. */
import { CraneError } from '../../errors.js';
import { nearestName } from '../../nearest-name.js';
import type { AddressTable, PublicFile, PublicModel } from './addresses.js';
import { matchImports } from './imports.js';
import { checkOwnPrompts, makeModelFolder, modelFolder } from './model-folder.js';
import { readOwnPrompts } from './own-prompts.js';
import { obtain, type StoredFile, type StoreSurroundings } from './store.js';

export interface PullRequest {
  name: string;
  /** files or folders of the user's to import from instead of downloading */
  from: readonly string[];
  /** a prompt file of the user's, instead of the authors' */
  prompts?: string;
  /** data sets that `prompts` were learned on */
  learnedOn: readonly string[];
  /** over other prompts of that name in the model */
  force?: boolean;
}

export interface Pulled {
  name: string;
  /** the file, or the model's folder */
  path: string;
  kind: 'file' | 'model';
  /** what was fetched or imported for it, or was there */
  files: { name: string; path: string; sha256: string; bytes: number; how: StoredFile['how'] }[];
}

/** @throws CraneError E_USAGE, E_DOWNLOAD, E_WEIGHTS_*, E_PROMPTS, E_IO_*, E_CANCELLED */
export async function pull(
  request: PullRequest,
  table: AddressTable,
  surroundings: StoreSurroundings,
): Promise<Pulled> {
  if (request.force && request.prompts === undefined)
    throw new CraneError('E_USAGE', '--force puts --prompts in the place of others: there are none');
  const model = table.models.find(({ name }) => sameName(name, request.name));
  if (model) return pullModel(model, request, table, surroundings);
  const file = table.files.find(({ name }) => sameName(name, request.name));
  if (!file) throw unknownName(request.name, table);
  if (request.prompts !== undefined) {
    throw new CraneError('E_USAGE', `--prompts belongs to a model, and ${file.name} is a file`, {
      hint: `the models are ${table.models.map(({ name }) => name).join(', ')}`,
    });
  }
  const imports = await matchImports(request.from, [file]);
  const stored = await obtain(file, imports.get(file), surroundings);
  return { name: file.name, path: stored.path, kind: 'file', files: [{ name: file.name, ...stored }] };
}

async function pullModel(
  model: PublicModel,
  request: PullRequest,
  table: AddressTable,
  surroundings: StoreSurroundings,
): Promise<Pulled> {
  const fileOf = (name: string): PublicFile => {
    const file = table.files.find((row) => row.name === name);
    if (!file) throw new CraneError('E_INTERNAL', `the address table has no ${name}`);
    return file;
  };
  if (typeof model.kind !== 'string' && request.prompts !== undefined)
    throw new CraneError('E_USAGE', `${model.name} takes no prompts: nothing of it is learned`);
  // Small files first: what is wrong with them shows before an hour of downloading.
  const sets = request.prompts === undefined ? model.prompts : [];
  const wanted = [
    ...sets.map(({ file }) => fileOf(file)),
    fileOf(model.weights),
    ...(model.source ? [fileOf(model.source)] : []),
  ];
  const imports = await matchImports(request.from, wanted);
  const { env, transfer, loadAddon } = surroundings;
  const read =
    request.prompts === undefined
      ? undefined
      : await readOwnPrompts(request.prompts, request.learnedOn, model, table, await loadAddon());
  const ownPrompts = read && { ...read, overwrite: request.force === true };
  if (ownPrompts) await checkOwnPrompts(await modelFolder(model.name, env), ownPrompts);
  if (ownPrompts?.learnedOn === null) {
    transfer.log(
      `WARNING: ${request.prompts} does not say what its prompts were learned on; say it with --learned-on, or no test can tell when it is given pictures that they know`,
    );
  }

  const stored = new Map<string, StoredFile>();
  for (const file of wanted) {
    try {
      stored.set(file.name, await obtain(file, imports.get(file), surroundings));
    } catch (thrown) {
      throw sets.some((set) => set.file === file.name) ? orGivePrompts(model, thrown) : thrown;
    }
  }

  const path = await makeModelFolder(
    {
      name: model.name,
      kind: model.kind,
      ...(model.sourceKind ? { sourceKind: model.sourceKind } : {}),
      description: model.what,
      licence: [...new Set(wanted.map(({ licence }) => licence))].join(' AND '),
      weights: stored.get(model.weights)!,
      ...(model.source ? { source: stored.get(model.source)! } : {}),
      prompts: sets.map(({ set, file }) => ({
        set,
        learnedOn: fileOf(file).learnedOn ?? [],
        stored: stored.get(file)!,
      })),
      ...(ownPrompts ? { ownPrompts } : {}),
    },
    env,
    { log: transfer.log, signal: transfer.stop },
  );
  const files = wanted.map(({ name }) => ({ name, ...stored.get(name)! }));
  return { name: model.name, path, kind: 'model', files };
}

function orGivePrompts(model: PublicModel, thrown: unknown): unknown {
  if (!(thrown instanceof CraneError) || thrown.code !== 'E_DOWNLOAD') return thrown;
  return new CraneError(thrown.code, thrown.message, {
    hint: `${thrown.hint}; or give prompts of your own: npx crane-native weights pull ${model.name} --prompts FILE`,
    cause: thrown.cause,
  });
}

function unknownName(given: string, { files, models }: AddressTable): CraneError {
  const names = [...models, ...files].map(({ name }) => name);
  const nearest = nearestName(given, names);
  return new CraneError('E_USAGE', `nothing is known under the name "${given}"`, {
    hint: nearest ? `did you mean ${nearest}?` : `known are ${names.join(', ')}`,
  });
}

/** People write ViT-L/14@336px, vit_l_14_336px, Crane. */
function sameName(known: string, given: string): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9+]+/g, '');
  return plain(known) === plain(given);
}
