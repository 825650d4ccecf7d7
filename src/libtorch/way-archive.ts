/** Way 5: an archive of libtorch by address or path, by default PyTorch's own for the CPU. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256OfFile } from '../files/content-hash.js';
import { withFolderLock } from '../files/folder-lock.js';
import { downloadProgress } from '../net/download-progress.js';
import { explainFetchFailure } from '../net/fetch-failure.js';
import { type ChosenMember, fetchMembers } from '../net/fetch-members.js';
import { HttpClient } from '../net/http-client.js';
import { certificateFiles } from '../net/pip-config.js';
import { networkRetries, type RetryPolicy } from '../net/retry.js';
import { readDirectory, ZipError, type ZipMember } from '../net/zip-directory.js';
import { FileSource, openRemoteZip, orForget, type Transfer, type ZipSource } from '../net/zip-source.js';
import { shownAddress } from '../terminal/shown-address.js';
import { archiveAddresses } from './addresses.js';
import { type Attempt, isFound } from './attempt.js';
import { libtorchCacheFolder } from './cache-folder.js';
import { platformKey } from './platform.js';
import { publishTree, stagingFolder, stagingOf } from './publish.js';
import type { Wanted } from './root.js';
import { libtorchVersion } from './version.js';
import { fromCache } from './way-cache.js';

export async function fromArchive(
  wanted: Wanted,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
  retries: RetryPolicy = networkRetries,
): Promise<Attempt> {
  const chosen = env['CRANE_LIBTORCH_URL'];
  const repair = `export CRANE_LIBTORCH_URL=<address or path of a zip of libtorch ${libtorchVersion}>`;
  const miss = (cause: string, repairs = repair): Attempt => ({
    missed: { way: 'archive', cause, repair: repairs },
  });
  const address = chosen || (wanted.variant === 'cpu' ? archiveAddresses[platformKey()] : undefined);
  if (!address) return miss(`there is no default archive for ${platformKey()}, ${wanted.variant}`);
  const from = `${chosen ? 'CRANE_LIBTORCH_URL: ' : ''}${shownAddress(address)}`;

  const client = new HttpClient(certificateFiles(env));
  try {
    const folder = await libtorchCacheFolder(wanted.variant, env);
    return await withFolderLock(folder, { log }, async () => {
      const meanwhile = await fromCache(wanted, env);
      if (isFound(meanwhile)) return meanwhile;
      log(`archive: ${from}`);
      const transfer: Transfer = { client, retries, log, progress: downloadProgress(log) };
      const sha256 = env['CRANE_LIBTORCH_SHA256']?.trim().toLowerCase();
      const staging = stagingOf(folder, address, sha256);
      await orForget(staging, async () => {
        const source = await openArchive(address, sha256, staging, transfer);
        await unpackArchive(source, wanted, join(staging, 'tree'), transfer);
      });
      await publishTree(join(staging, 'tree'), folder, {
        version: libtorchVersion,
        source: shownAddress(address),
        headers: wanted.headers,
      });
      await rm(stagingFolder(folder), { recursive: true, force: true });
      const fetched = await fromCache(wanted, env);
      if (isFound(fetched))
        return { found: { ...fetched.found, way: 'archive', through: shownAddress(address) } };
      // a wrong version must not stay where way 2 looks
      await rm(folder, { recursive: true, force: true });
      return miss(`${from}: ${fetched.missed.cause}`);
    });
  } catch (thrown) {
    const failure = explainFetchFailure(thrown, from);
    return miss(failure.cause, failure.repair ?? repair);
  } finally {
    await client.close();
  }
}

async function openArchive(
  address: string,
  sha256: string | undefined,
  staging: string,
  transfer: Transfer,
): Promise<ZipSource> {
  if (/^https?:\/\//i.test(address)) {
    const remote = { url: address, sha256, size: undefined, whole: sha256 !== undefined };
    return openRemoteZip(remote, join(staging, 'parts'), transfer);
  }
  const path = pathOf(address);
  if (!existsSync(path)) throw new ZipError(`${path} does not exist`);
  if (sha256 !== undefined) {
    const sum = await sha256OfFile(path);
    if (sum !== sha256) throw new ZipError(`its sha256 is ${sum}, CRANE_LIBTORCH_SHA256 says ${sha256}`);
  }
  return FileSource.open(path);
}

function pathOf(address: string): string {
  if (!address.startsWith('file:')) return resolve(address);
  try {
    return fileURLToPath(address);
  } catch {
    throw new ZipError('expected file:///FOLDER/FILE.zip, a path or an http address');
  }
}

/** The archive's one top folder (libtorch/) becomes torch/, the name the cache uses. */
async function unpackArchive(
  source: ZipSource,
  wanted: Wanted,
  tree: string,
  transfer: Transfer,
): Promise<void> {
  const members = await readDirectory((start, end) => source.read(start, end), source.size);
  const chosen = members.flatMap((member: ZipMember): ChosenMember[] => {
    const inside = /^[^/]+\/(.+)$/.exec(member.name)?.[1];
    if (inside === undefined || !isNeeded(inside, wanted.headers)) return [];
    return [{ member, destination: `torch/${inside}`, sha256: undefined }];
  });
  if (chosen.length === 0) throw new ZipError('it holds no lib/ and include/ in one top folder');
  await fetchMembers(source, chosen, tree, transfer.progress);
}

function isNeeded(path: string, headers: boolean): boolean {
  if (/^(build-version|build-hash|version\.py|LICENSE|NOTICE)$/.test(path)) return true;
  if (path.startsWith('include/')) return headers;
  return /^lib\/[^/]+\.(so[.\d]*|dylib|dll|lib)$/.test(path);
}
