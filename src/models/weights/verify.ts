/** Checks every promise of a weight file. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { NativeAddon, WeightFileInfo } from '../../addon/native.js';
import { CraneError } from '../../errors.js';
import { sha256OfFile } from '../../files/content-hash.js';
import type { AddressTable } from './addresses.js';
import { sizesOf, type WeightSizes } from './sizes.js';
import { readRecord, recordOf } from './store.js';
import type { FilePromise, TargetFile } from './targets.js';

export interface Verified {
  file: string;
  container: WeightFileInfo['container'];
  naming: string;
  tensors: number;
  sizes: WeightSizes;
  bytes: number;
  /** of several files: of what sha256sum prints for them in their folder */
  sha256: string;
  /** who promised this sha256: model.json, the first download, the table of published files; empty: nobody did */
  promisedBy: string[];
}

/**
 * Container and its checksums, names, shapes, finiteness of every value, then the sha256 against whoever promised
 * one. @throws CraneError E_WEIGHTS_*, naming the tensor; E_IO_READ
 */
export async function verifyFile(
  { path, promise }: TargetFile,
  addon: NativeAddon,
  table: AddressTable,
): Promise<Verified> {
  await checkLength(path, promise);
  const info = await addon.verifyWeights(path);
  const sha256 = await sha256OfFiles(info.files);
  const promises = [
    ...(promise ? [promise] : []),
    ...(await recordedPromise(path)),
    ...table.files.flatMap((file) =>
      file.sha256 === sha256 ? [{ by: `the table of published files (${file.name})`, sha256 }] : [],
    ),
  ];
  const broken = promises.find((given) => given.sha256 !== sha256);
  if (broken) {
    throw new CraneError(
      'E_WEIGHTS_HASH',
      `${path}: has sha256 ${sha256}, ${broken.by} says ${broken.sha256}`,
      {
        hint: 'every tensor is sound by itself, but it is another file than promised',
      },
    );
  }
  return {
    file: path,
    container: info.container,
    naming: info.naming,
    tensors: info.tensors.length,
    sizes: sizesOf(info),
    bytes: await bytesOf(info.files),
    sha256,
    promisedBy: [...new Set(promises.map(({ by }) => by))],
  };
}

/** Of several files that are one: of the lines that `sha256sum` prints for them in their folder. */
export async function sha256OfFiles(paths: readonly string[]): Promise<string> {
  if (paths.length === 1) return sha256OfFile(paths[0]!);
  const all = createHash('sha256');
  for (const path of paths) all.update(`${await sha256OfFile(path)}  ${basename(path)}\n`);
  return all.digest('hex');
}

async function bytesOf(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await stat(path)).size;
  return bytes;
}

/** Told before everything else: what is too short cannot be sound. */
async function checkLength(path: string, promise: FilePromise | undefined): Promise<void> {
  const bytes = (await stat(path).catch(() => undefined))?.size;
  if (promise?.bytes === undefined || bytes === undefined || bytes === promise.bytes) return;
  throw new CraneError(
    bytes < promise.bytes ? 'E_WEIGHTS_TRUNCATED' : 'E_WEIGHTS_HASH',
    `${path}: has ${bytes} bytes, ${promise.by} says ${promise.bytes}`,
    { hint: 'get it again: see npx crane-native weights pull --help' },
  );
}

async function recordedPromise(path: string): Promise<{ by: string; sha256: string }[]> {
  const sha256 = await readRecord(path);
  return sha256 === undefined ? [] : [{ by: recordOf(path), sha256 }];
}
