/** The account of a data set's folders: every file below the root is taken, or left out for a reason. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { kindOfFileName, kindOfFolderName } from '../scan/file-kind.js';
import { isMaskFolder, masksBeside } from '../scan/mask-names.js';
import { type LeftOutReason, ScanAccount, type ScanReport } from '../scan/scan-account.js';
import type { Entry } from './entry.js';
import type { PictureTree } from './layouts/picture-tree.js';

export interface Taken {
  /** of the split that was asked for */
  entries: readonly Entry[];
  /** of the other one */
  others: readonly Entry[];
  /** files that told labels */
  consulted: readonly string[];
  /** why a picture that nothing uses is left out, where the layout knows */
  reasonFor?: ((path: string) => LeftOutReason | undefined) | undefined;
  /** look only into these folders of the root; default: into all */
  within?: ReadonlySet<string>;
}

/** Parts of data sets that are neither train nor test. */
const k_noSplit = new Set([
  'validation',
  'val',
  'valid',
  'dev',
  'test_private',
  'test_private_mixed',
  'pred',
]);

export async function accountOfTree(tree: PictureTree, taken: Taken): Promise<ScanReport> {
  const pictures = new Set(taken.entries.map(({ imagePath }) => imagePath));
  const masks = new Set([...taken.entries, ...taken.others].flatMap(({ maskPaths }) => maskPaths));
  const others = new Set(taken.others.map(({ imagePath }) => imagePath));
  const walk: Walk = {
    tree,
    account: new ScanAccount(),
    pictures,
    masks,
    others,
    consulted: new Set(taken.consulted),
    reasonFor: taken.reasonFor ?? (() => undefined),
    within: taken.within,
    taken: foldersOf([...pictures, ...others]),
  };
  await lookInto('', walk, []);
  return walk.account.report();
}

interface Walk {
  tree: PictureTree;
  account: ScanAccount;
  pictures: ReadonlySet<string>;
  masks: ReadonlySet<string>;
  others: ReadonlySet<string>;
  consulted: ReadonlySet<string>;
  reasonFor: (path: string) => LeftOutReason | undefined;
  within: ReadonlySet<string> | undefined;
  /** folders in which, or below which, there are pictures that are used */
  taken: ReadonlySet<string>;
}

async function lookInto(folder: string, walk: Walk, ancestors: readonly string[]): Promise<void> {
  const { tree, account } = walk;
  const entries = await tree.entries(folder);
  const beside = masksBeside(entries.map(({ name }) => name));
  for (const { name, kind, isLink, bytes } of entries) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'folder') {
      const what = kindOfFolderName(name);
      if (folder === '' && walk.within?.has(name) === false) continue;
      if (what !== 'folder') account.leaveOut(what, path);
      else if (bytes) account.leaveOut('name-not-utf8', path);
      else if (!isLink) await lookInto(path, walk, ancestors);
      else await lookThrough(path, walk, ancestors);
      continue;
    }
    const reason = reasonOf(path, { name, kind, bytes, isMask: beside.has(name) }, walk);
    if (reason === 'picture') account.takePicture();
    else if (reason === 'mask') account.takeMask();
    else if (reason !== undefined) account.leaveOut(reason, path);
  }
}

/** A link is entered where something below it is used, and only once on the way down. */
async function lookThrough(path: string, walk: Walk, ancestors: readonly string[]): Promise<void> {
  const real = await realpath(join(walk.tree.root, path)).catch(() => undefined);
  const isCircle = real === undefined || ancestors.includes(real);
  if (isCircle || !walk.taken.has(path)) return walk.account.leaveOut('link', path);
  await lookInto(path, walk, [...ancestors, real]);
}

type Outcome = 'picture' | 'mask' | LeftOutReason | undefined;

function reasonOf(
  path: string,
  file: { name: string; kind: string; bytes: Buffer | undefined; isMask: boolean },
  walk: Walk,
): Outcome {
  if (walk.pictures.has(path)) return 'picture';
  if (walk.masks.has(path)) return 'mask';
  if (walk.others.has(path)) return 'other-split';
  if (walk.consulted.has(path)) return undefined;
  if (file.kind === 'broken-link') return 'broken-link';
  const what = kindOfFileName(file.name);
  if (what === 'rubbish' || what === 'hidden') return what;
  if (what === 'unread-picture') return 'kind-not-read';
  if (what === 'other' || file.kind === 'other') return 'no-picture';
  if (file.bytes) return 'name-not-utf8';
  const folders = path.split('/').slice(0, -1);
  const known = walk.reasonFor(path);
  if (known !== undefined) return known;
  if (folders.some((name) => k_noSplit.has(name.toLowerCase()))) return 'no-split';
  if (file.isMask || folders.some(isMaskFolder)) return 'unused-ground-truth';
  return folders.some((_, at) => walk.taken.has(folders.slice(0, at + 1).join('/')))
    ? 'too-deep'
    : 'outside-layout';
}

function foldersOf(paths: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const path of paths)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (found.has(folder)) break;
      found.add(folder);
    }
  return found;
}
