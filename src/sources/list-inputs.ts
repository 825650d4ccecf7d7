/**
 * The pictures that a command line names: files, folders, globs, @lists and standard input. Folders, lists and
 * standard input are walked lazily in a stable order. What a scan leaves out is counted in its account.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { CraneError } from '../errors.js';
import { kindOf } from '../files/kind-of.js';
import { codedReadError } from '../files/open-file.js';
import { loadOptional } from '../files/optional-packages.js';
import { pictureEndings, sniffFormat } from '../images/format.js';
import { hasPictureEnding, kindOfFileName } from '../scan/file-kind.js';
import { type AnyPath, nameOf } from '../scan/list-folder.js';
import { ScanAccount } from '../scan/scan-account.js';
import { shownAddress } from '../terminal/shown-address.js';
import { type ListedPicture, placeOf, shortName } from './listed-picture.js';
import { MaskLookup } from './mask-lookup.js';
import { isRemotePicture, RemotePicture } from './remote-picture.js';
import { listedPaths } from './text-list.js';
import { type WalkOptions, walkFolder } from './walk-folder.js';

/** How standard input is named among the inputs; the shell's `-` becomes it. */
export const k_stdin = '@-';

export interface ListOptions extends WalkOptions {
  stdin: AsyncIterable<Uint8Array | string>;
}

/** @throws CraneError E_INPUT_* where a folder, glob or list gives nothing; E_INPUT_MASK for the mask of a picture */
export async function* listInputs(
  given: readonly string[],
  options: ListOptions,
): AsyncGenerator<ListedPicture> {
  const masks = new MaskLookup(options.includeMasks);
  const isAlone = given.length === 1;
  for (const entry of given) yield* listOne(entry, { ...options, masks, isAlone });
}

/** How many pictures there will be, for the progress bar; undefined when only reading standard input would tell. */
export async function countInputs(
  given: readonly string[],
  options: Omit<ListOptions, 'stdin' | 'account'>,
  isCounted: (listed: ListedPicture) => boolean = () => true,
): Promise<number | undefined> {
  if (given.includes(k_stdin)) return undefined;
  let count = 0;
  const account = new ScanAccount();
  for await (const listed of listInputs(given, { ...options, account, stdin: nothing() }))
    if (isCounted(listed)) count++;
  return count;
}

/** Whether inputs are looked for: where each is named there is nothing to account for. */
export async function areScanned(given: readonly string[]): Promise<boolean> {
  for (const entry of given) if (entry === k_stdin || (await kindOf(entry)) !== 'file') return true;
  return false;
}

async function* nothing(): AsyncGenerator<string> {}

interface Listing extends ListOptions {
  masks: MaskLookup;
  /** the only one that is given */
  isAlone: boolean;
}

async function* listOne(given: string, options: Listing): AsyncGenerator<ListedPicture> {
  const { account } = options;
  if (given === k_stdin) return yield* fromStdin(options);
  if (isRemotePicture(given)) return yield* fromAddress(given, options);
  if (/^(data|file):/i.test(given)) {
    account.takePicture();
    return yield { input: given, name: shortName(given), place: placeOf(given) };
  }
  const kind = await kindOf(given);
  if (kind === 'file') return yield* fromFile(given, options);
  if (kind === 'folder') return yield* fromFolder(given, options);
  if (given.startsWith('@') && isRemotePicture(given.slice(1)))
    return yield* fromRemoteList(given.slice(1), options);
  if (given.startsWith('@'))
    return yield* fromList(createReadStream(given.slice(1)), given.slice(1), options);
  const globs = await loadGlobs(given);
  if (globs?.isDynamicPattern(given)) return yield* fromGlob(globs, given, options);
  // Scoring it will say what is wrong.
  account.takePicture();
  yield onePath(given);
}

/** Among other inputs a mask is what a shell's `*` adds; alone it cannot be meant. */
async function* fromFile(path: string, { account, masks, isAlone }: Listing): AsyncGenerator<ListedPicture> {
  const picture = await masks.pictureOf(path);
  if (picture === undefined) {
    account.takePicture();
    return yield onePath(path);
  }
  if (!isAlone) return account.leaveOut('mask', path);
  throw new CraneError('E_INPUT_MASK', `${path}: is the mask of ${picture}, expected a picture`, {
    hint: 'score the picture; or, if this is one after all, add --include-masks',
  });
}

async function* fromFolder(folder: string, options: Listing): AsyncGenerator<ListedPicture> {
  let count = 0;
  for await (const { path, shown } of walkFolder(folder, options)) {
    count++;
    yield await listed(path, shown, relative(folder, shown));
  }
  if (count === 0) throw noPictures(folder, options);
}

function noPictures(folder: string, { recursive, account }: Listing): CraneError {
  const { leftOut } = account.report();
  const unread = leftOut.find(({ reason }) => reason === 'kind-not-read');
  return new CraneError('E_INPUT_NOT_FOUND', `${folder}: no pictures in this folder`, {
    hint: unread
      ? `${unread.count} are of kinds that are not read (${Object.keys(unread.endings ?? {}).join(', ')})`
      : recursive
        ? `endings looked for: ${pictureEndings.join(', ')}`
        : 'for those in its subfolders add --recursive',
  });
}

/** A path without any of a pattern's characters needs no package to be told from one. */
function loadGlobs(given: string): Promise<typeof import('tinyglobby')> | undefined {
  if (!/[*?[\]{}()!+@]/.test(given)) return undefined;
  return loadOptional(`the pattern ${given}`, ['tinyglobby'], () => import('tinyglobby'));
}

async function* fromGlob(
  { glob }: typeof import('tinyglobby'),
  pattern: string,
  options: Listing,
): AsyncGenerator<ListedPicture> {
  const { account, exclude, masks } = options;
  const found = await glob(pattern, {
    expandDirectories: false,
    onlyFiles: true,
    dot: false,
    absolute: isAbsolute(pattern),
  });
  const paths = found.filter((path) => !exclude.some((folder) => resolve(path).startsWith(folder + sep)));
  if (paths.length < found.length) account.leaveOut('own-output', exclude[0] ?? '');
  if (paths.length === 0)
    throw new CraneError('E_INPUT_NOT_FOUND', `${pattern}: no file matches this pattern`);
  for (const path of paths.sort()) {
    if (kindOfFileName(basename(path)) === 'rubbish') account.leaveOut('rubbish', path);
    else if ((await masks.pictureOf(path)) !== undefined) account.leaveOut('mask', path);
    else {
      account.takePicture();
      yield onePath(path);
    }
  }
}

async function* fromRemoteList(address: string, options: Listing): AsyncGenerator<ListedPicture> {
  const { bytesAt } = await import('./address-bytes.js');
  yield* fromList(Readable.from([Buffer.from(await bytesAt(address))]), shownAddress(address), options);
}

/** One object, or where an address ends as none of a picture does all of a bucket that begin with it. */
async function* fromAddress(given: string, options: Listing): AsyncGenerator<ListedPicture> {
  const isOne = !/^s3:/i.test(given) || hasPictureEnding(basename(given));
  if (isOne) {
    options.account.takePicture();
    return yield remotePicture(given);
  }
  let count = 0;
  const { listBucket } = await import('./list-bucket.js');
  for await (const address of listBucket(given, options)) {
    count++;
    yield remotePicture(address);
  }
  if (count === 0) throw noPictures(given, options);
}

function remotePicture(address: string): ListedPicture {
  return { input: new RemotePicture(address), name: shortName(address), place: placeOf(address) };
}

/** Empty lines are skipped. */
async function* fromList(
  list: Readable,
  name: string,
  { account, masks }: Listing,
): AsyncGenerator<ListedPicture> {
  try {
    for await (const line of listedPaths(list, name)) {
      const path = typeof line === 'string' ? await unquoted(line) : line;
      if (typeof path === 'string' && isRemotePicture(path)) {
        account.takePicture();
        yield remotePicture(path);
        continue;
      }
      if (typeof path === 'string' && (await masks.pictureOf(path)) !== undefined)
        account.leaveOut('mask', path);
      else {
        account.takePicture();
        yield await listed(path, typeof path === 'string' ? path : nameOf(path).name);
      }
    }
  } catch (cause) {
    throw cause instanceof CraneError ? cause : codedReadError(name, cause, 'a list of paths');
  }
}

/** Tables put paths between quotes; a name may hold them too. */
async function unquoted(line: string): Promise<string> {
  const inner = /^"(.+)"$/s.exec(line)?.[1];
  if (inner === undefined || (await kindOf(line)) !== undefined) return line;
  return inner.replaceAll('""', '"');
}

/** Standard input is one picture when its first bytes are those of one, else a list of paths. */
async function* fromStdin(options: Listing): AsyncGenerator<ListedPicture> {
  const chunks = options.stdin[Symbol.asyncIterator]();
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
  if (sniffFormat(start) === undefined)
    return yield* fromList(Readable.from(rest()), 'standard input', options);
  // Loaded where it is needed: it brings the HTTP client along.
  const { k_mostHeld, wholeBody } = await import('../net/whole-body.js');
  const tooLarge = () =>
    new CraneError(
      'E_IMAGE_TOO_LARGE',
      `standard input: more than the ${k_mostHeld} bytes that are read of one file`,
      { hint: 'a larger one is scored as a file on a disk' },
    );
  const input = await wholeBody(Readable.from(rest()), { announced: undefined, tooLarge });
  options.account.takePicture();
  yield { input, name: 'stdin', place: 'stdin' };
}

/** A file whose path is no text is read here: decoders take texts. */
async function listed(path: AnyPath, shown: string, place = placeOf(shown)): Promise<ListedPicture> {
  if (typeof path === 'string') return { input: path, name: shortName(shown), place };
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw codedReadError(shown, cause, 'a picture');
  });
  return { input: bytes, name: shown, place };
}

function onePath(path: string): ListedPicture {
  return { input: path, name: shortName(path), place: placeOf(path) };
}
