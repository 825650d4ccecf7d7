/** A bank of the good pictures that somebody names: listed, learned, or found in the cache folder. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.js';
import { CraneError, toCraneError } from '../errors.js';
import { cacheFolder } from '../files/cache-folder.js';
import { contentHash } from '../files/content-hash.js';
import { codedReadError } from '../files/open-file.js';
import { bankIdentity } from '../normals/bank-facts.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type { LearnNormalsChoices } from '../options/types.js';
import { ScanAccount, type ScanReport } from '../scan/scan-account.js';
import { k_stdin, type ListOptions, listInputs } from '../sources/list-inputs.js';

const k_digits = 32;
const k_all = { recursive: true, includeMasks: false, exclude: [] };

export interface GoodPictures {
  /** files, folders, globs, @lists */
  inputs: readonly string[];
  followLinks: boolean;
  signal: AbortSignal;
  onTotal?: (count: number) => void;
  onProgress?: (done: number) => void;
  /** told what was odd about the pictures, a sentence for each kind */
  onNotes?: (lines: string[]) => void;
}

export interface ListedGood {
  paths: string[];
  scan: ScanReport;
}

/** @throws CraneError E_NORMALS where there is none, E_INPUT_*, E_USAGE */
export async function listGood({
  inputs,
  followLinks,
}: Pick<GoodPictures, 'inputs' | 'followLinks'>): Promise<ListedGood> {
  if (inputs.includes(k_stdin))
    throw new CraneError('E_USAGE', 'normal pictures are not named by standard input (-)', {
      hint: 'name them in a file: @list.txt',
    });
  const account = new ScanAccount();
  const paths = await pathsOf(inputs, { ...k_all, followLinks, account, stdin: nothing() });
  for (const path of paths) {
    await stat(path).catch((cause: unknown) => {
      throw codedReadError(path, cause);
    });
  }
  if (paths.length > 0) return { paths, scan: account.report() };
  throw new CraneError('E_NORMALS', `${inputs.join(', ')}: no picture is there to learn a bank from`, {
    hint: 'name a folder with pictures of good parts; four are enough to begin with',
  });
}

/** Of pictures that others are compared with. @throws CraneError E_USAGE for one that is no file here, E_INPUT_* */
export async function pathsOf(inputs: readonly string[], how: ListOptions): Promise<string[]> {
  const paths: string[] = [];
  for await (const { input, name } of listInputs(inputs, how)) {
    if (typeof input !== 'string') {
      throw new CraneError('E_USAGE', `${name}: normal pictures are files of this machine`, {
        hint: 'download them first: a few good pictures are enough',
      });
    }
    paths.push(input);
  }
  return paths;
}

/** @throws CraneError those of engine.learnNormals */
export function learnGood(
  engine: Engine,
  { paths }: ListedGood,
  choices: LearnNormalsChoices,
  { signal, onTotal, onProgress, onNotes }: GoodPictures,
): Promise<NormalBank> {
  onTotal?.(paths.length);
  return engine.learnNormals(paths, {
    ...choices,
    signal,
    ...(onProgress ? { onProgress } : {}),
    ...(onNotes ? { onNotes } : {}),
  });
}

export interface KeptBank {
  bank: NormalBank;
  /** where it lies for the next time; why it could not be kept */
  kept: { path: string; isNew: boolean } | { failure: string };
  scan: ScanReport;
}

/**
 * The bank of these pictures from the cache folder; learned and put there where it is missing or damaged. With an engine of a
 * method that keeps normal pictures in its own way it is that method's memory.
 */
export async function bankOfPictures(
  engine: Engine,
  choices: LearnNormalsChoices,
  given: GoodPictures,
  env: NodeJS.ProcessEnv,
): Promise<KeptBank> {
  const listed = await listGood(given);
  const pictures: NormalBank['facts']['pictures'] = [];
  for (const path of listed.paths) pictures.push({ name: path, sha256: await contentHash(path) });
  const facts = engine.banks.facts(pictures, choices);
  const identity = bankIdentity(facts);
  const folder = await cacheFolder(env).catch(() => undefined);
  const path = folder && join(folder, 'normals', `${identity.slice(0, k_digits)}.safetensors`);
  const found = path === undefined ? undefined : await engine.banks.openKept(path, facts);
  if (found) return { bank: found, kept: { path: path!, isNew: false }, scan: listed.scan };
  const bank = await learnGood(engine, listed, choices, given);
  try {
    if (path === undefined) return { bank, kept: { failure: 'there is no cache folder' }, scan: listed.scan };
    await bank.save(path, { overwrite: true });
    return { bank, kept: { path, isNew: true }, scan: listed.scan };
  } catch (thrown) {
    return { bank, kept: { failure: toCraneError(thrown).message }, scan: listed.scan };
  }
}

async function* nothing(): AsyncGenerator<string> {}
