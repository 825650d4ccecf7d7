/** What is taken of the torch wheel and of NVIDIA's wheels that it depends on. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withRetries } from '../net/retry.js';
import { type IndexFile, projectFiles } from '../net/simple-index.js';
import type { Transfer } from '../net/zip-source.js';
import { fetchFromWheel, type OpenWheel, openWheel } from './fetch-wheel.js';
import type { LibtorchPlatform } from './platform.js';
import { publishTree, stagingFolder, stagingOf } from './publish.js';
import { type Requirement, requirements } from './requirements.js';
import { type LibtorchVariant, libtorchVersion } from './version.js';
import { chooseWheel } from './wheel-name.js';

export interface TorchFetch {
  index: string;
  platform: LibtorchPlatform;
  variant: LibtorchVariant;
  headers: boolean;
  /** the libraries are in the cache folder already, only headers are missing */
  hasLibraries: boolean;
  /** cache folder to fill */
  folder: string;
  transfer: Transfer;
}

/** NVIDIA's libraries that a CPU run needs: libtorch_cpu links them for its profiler. */
const cpuRuntime = /^nvidia-cuda-(runtime|cupti)(-cu\d+)?$/;
const cpuRuntimeExtras = ['cudart', 'cupti'];

/** Resolves to the bytes moved. Throws the errors of HTTP, zip and file system. */
export async function fetchTorch(fetch: TorchFetch): Promise<number> {
  const { transfer, platform, folder } = fetch;
  const staging = stagingOf(folder, fetch.index);
  const tree = join(staging, 'tree');
  const file = await findWheel(fetch, 'torch', libtorchVersion, platform.wheelTag);
  transfer.log(`fetching libtorch ${libtorchVersion} from ${file.filename} (only what the engine needs)`);
  const torch = await openWheel(file, staging, transfer);
  let bytes = await fetchFromWheel(torch, (name) => isWanted(name, fetch), tree, transfer);
  if (!fetch.hasLibraries && platform.needsCudaRuntime)
    bytes += await fetchCudaRuntime(fetch, torch, staging, tree);
  await publishTree(tree, folder, {
    version: libtorchVersion,
    source: file.filename,
    headers: fetch.headers,
  });
  await rm(stagingFolder(folder), { recursive: true, force: true });
  return bytes;
}

function isWanted(name: string, fetch: TorchFetch): boolean {
  if (/^torch-[^/]+\.dist-info\/(licenses\/)?(LICENSE|NOTICE)/.test(name)) return true;
  if (name === 'torch/version.py') return true;
  if (name.startsWith('torch/include/')) return fetch.headers;
  const library = /^torch\/lib\/([^/]+)$/.exec(name)?.[1] ?? /^torch\.libs\/([^/]+)$/.exec(name)?.[1];
  if (library === undefined) return false;
  if (fetch.headers && fetch.platform.wheelLinkFiles.test(library)) return true;
  return !fetch.hasLibraries && fetch.platform.wheelLibraries[fetch.variant].test(library);
}

async function fetchCudaRuntime(
  fetch: TorchFetch,
  torch: OpenWheel,
  staging: string,
  tree: string,
): Promise<number> {
  const { transfer, variant } = fetch;
  const needed = await nvidiaRequirements(fetch, torch.metadata, staging);
  if (needed.length > 0)
    transfer.log(
      `fetching ${needed.map((n) => n.project).join(', ')}, which libtorch needs: under NVIDIA's licence (kept beside it)`,
    );
  const wantedLibrary = variant === 'cpu' ? /^libcu(dart|pti)\.so[.\d]*$/ : /\.so[.\d]*$/;
  let bytes = 0;
  for (const { project, version } of needed) {
    const file = await findWheel(fetch, project, version, fetch.platform.wheelTag);
    const wheel = await openWheel(file, staging, transfer);
    const isNeeded = (name: string) => {
      const library = /^nvidia\/.+\/lib\/([^/]+)$/.exec(name)?.[1];
      return (
        (library !== undefined && wantedLibrary.test(library)) || /\.dist-info\/.*licen[sc]e/i.test(name)
      );
    };
    bytes += await fetchFromWheel(wheel, isNeeded, tree, transfer);
  }
  return bytes;
}

/** torch names its CUDA packages directly, or a toolkit package whose extras name them. */
async function nvidiaRequirements(
  fetch: TorchFetch,
  metadata: string,
  staging: string,
): Promise<{ project: string; version: string }[]> {
  const found: Requirement[] = [];
  for (const requirement of requirements(metadata).filter((r) => r.extra === undefined)) {
    if (requirement.project.startsWith('nvidia-')) found.push(requirement);
    if (requirement.project !== 'cuda-toolkit' || !requirement.version) continue;
    const file = await findWheel(fetch, requirement.project, requirement.version, undefined);
    const toolkit = await openWheel(file, staging, fetch.transfer);
    const extras = fetch.variant === 'cpu' ? cpuRuntimeExtras : requirement.extras;
    found.push(
      ...requirements(toolkit.metadata).filter((r) => r.extra !== undefined && extras.includes(r.extra)),
    );
  }
  return found.flatMap(({ project, version }) =>
    version !== undefined && (fetch.variant === 'cuda' || cpuRuntime.test(project))
      ? [{ project, version }]
      : [],
  );
}

async function findWheel(
  fetch: TorchFetch,
  project: string,
  version: string,
  platform: RegExp | undefined,
): Promise<IndexFile> {
  const { client, log, retries } = fetch.transfer;
  // the first request meets a machine without a network: it should not be kept waiting as long as a download
  const policy = { ...retries, attempts: Math.min(retries.attempts, 3) };
  const { files, leftOut } = await withRetries(policy, log, () => projectFiles(client, fetch.index, project));
  const file = chooseWheel(files, project, version, platform);
  if (file) return file;
  const others = leftOut > 0 ? `, ${leftOut} links of the page name none` : '';
  throw new Error(
    `the index has no wheel of ${project} ${version} for ${fetch.platform.key} (${files.length} files seen${others})`,
  );
}
