/**
 * The pictures that a command line names: files, folders, globs, @lists and standard input. Folders, lists and
 * standard input are walked lazily in a stable order: of a million files only one folder's names are held.
 */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { glob, isDynamicPattern } from 'tinyglobby';
import { CraneError } from '../errors.js';
import { kindOf } from '../files/kind-of.js';
import { codedReadError } from '../files/open-file.js';
import { pictureEndings, pictureKind, sniffFormat } from '../images/format.js';
import type { PictureInput } from '../images/picture-input.js';

/** How standard input is named among the inputs; the shell's `-` becomes it. */
export const k_stdin = '@-';

export interface ListedPicture {
  input: PictureInput;
  /** as shown in results */
  name: string;
  /** where its files go below an output folder: never absolute, never with '..' */
  place: string;
}

export interface ListOptions {
  recursive: boolean;
  /** folders that are never entered, absolute */
  exclude: readonly string[];
  stdin: AsyncIterable<Uint8Array | string>;
}

/** @throws CraneError E_INPUT_* where a folder, glob or list gives nothing */
export async function* listInputs(
  given: readonly string[],
  options: ListOptions,
): AsyncGenerator<ListedPicture> {
  for (const entry of given) yield* listOne(entry, options);
}

/** How many pictures there will be, for the progress bar; undefined when only reading standard input would tell. */
export async function countInputs(
  given: readonly string[],
  options: Omit<ListOptions, 'stdin'>,
): Promise<number | undefined> {
  if (given.includes(k_stdin)) return undefined;
  let count = 0;
  for await (const _ of listInputs(given, { ...options, stdin: nothing() })) count++;
  return count;
}

async function* nothing(): AsyncGenerator<string> {}

async function* listOne(given: string, options: ListOptions): AsyncGenerator<ListedPicture> {
  if (given === k_stdin) return yield* fromStdin(options.stdin);
  if (/^(data|file):/i.test(given))
    return yield { input: given, name: shortName(given), place: placeOf(given) };
  const kind = await kindOf(given);
  if (kind === 'file') return yield onePath(given);
  if (kind === 'folder') return yield* fromFolder(given, options);
  if (given.startsWith('@')) return yield* fromList(createReadStream(given.slice(1)), given.slice(1));
  if (isDynamicPattern(given)) return yield* fromGlob(given, options);
  // Scoring it will say what is wrong.
  yield onePath(given);
}

async function* fromFolder(folder: string, options: ListOptions): AsyncGenerator<ListedPicture> {
  let count = 0;
  for await (const path of walk(folder, options)) {
    count++;
    yield { input: path, name: path, place: relative(folder, path) };
  }
  if (count === 0) {
    throw new CraneError('E_INPUT_NOT_FOUND', `${folder}: no pictures in this folder`, {
      hint: options.recursive
        ? `endings looked for: ${pictureEndings.join(', ')}`
        : 'for those in its subfolders add --recursive',
    });
  }
}

/** Depth first, names in the order of their code units: the same on every machine. */
async function* walk(folder: string, options: ListOptions): AsyncGenerator<string> {
  if (options.exclude.includes(resolve(folder))) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw codedReadError(folder, cause);
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (options.recursive) yield* walk(path, options);
    } else if (hasPictureEnding(entry.name) && (entry.isFile() || (await kindOf(path)) === 'file')) {
      yield path; // links to folders are not followed: they may lead in circles
    }
  }
}

async function* fromGlob(pattern: string, options: ListOptions): AsyncGenerator<ListedPicture> {
  const found = await glob(pattern, {
    expandDirectories: false,
    onlyFiles: true,
    dot: false,
    absolute: isAbsolute(pattern),
  });
  const paths = found
    .filter((path) => !options.exclude.some((folder) => resolve(path).startsWith(folder + sep)))
    .sort();
  if (paths.length === 0)
    throw new CraneError('E_INPUT_NOT_FOUND', `${pattern}: no file matches this pattern`);
  for (const path of paths) yield onePath(path);
}

/** One path a line; empty lines are skipped. */
async function* fromList(list: Readable, name: string): AsyncGenerator<ListedPicture> {
  try {
    for await (const line of createInterface({ input: list, crlfDelay: Number.POSITIVE_INFINITY })) {
      const path = line.replace(/^\ufeff/, '');
      if (path.trim() !== '') yield onePath(path);
    }
  } catch (cause) {
    throw codedReadError(name, cause);
  }
}

/** Standard input is one picture when its first bytes are those of one, else a list of paths. */
async function* fromStdin(stdin: ListOptions['stdin']): AsyncGenerator<ListedPicture> {
  const chunks = stdin[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let isDone = false;
  while (!isDone && Buffer.concat(head).length < 16) {
    const next = await chunks.next();
    isDone = next.done === true;
    if (!next.done) head.push(Buffer.from(next.value));
  }
  const start = Buffer.concat(head);
  const rest = async function* () {
    yield start;
    while (!isDone) {
      const next = await chunks.next();
      if (next.done) return;
      yield Buffer.from(next.value);
    }
  };
  if (start.length === 0)
    throw new CraneError('E_INPUT_NOT_FOUND', 'standard input is empty, expected paths or a picture');
  if (sniffFormat(start) === undefined) return yield* fromList(Readable.from(rest()), 'standard input');
  const parts: Buffer[] = [];
  for await (const part of rest()) parts.push(part);
  yield { input: Buffer.concat(parts), name: 'stdin', place: 'stdin' };
}

function onePath(path: string): ListedPicture {
  return { input: path, name: shortName(path), place: placeOf(path) };
}

/** The path below the working folder; of paths elsewhere the last part. */
function placeOf(path: string): string {
  if (path.startsWith('data:')) return 'data';
  const below = relative('.', path);
  return below.startsWith('..') || isAbsolute(below) ? basename(path) : below;
}

function shortName(name: string): string {
  return name.startsWith('data:') ? `${name.slice(0, 32).split(',')[0]},...` : name;
}

function hasPictureEnding(name: string): boolean {
  return pictureKind(name).kind === 'read';
}
