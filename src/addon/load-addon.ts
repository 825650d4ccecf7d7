/**
 * Opens the engine: finds the addons and a fitting libtorch, opens libtorch's libraries through the loader
 * addon, then the engine addon. Everything that can be wrong is checked before the dynamic linker sees it.
 * Opens no connection: libtorch is looked up here, never fetched.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { CraneError } from '../errors.js';
import { packageRoot, packageVersion, rebuildCommand } from '../files/package-root.js';
import type { FoundLibtorch } from '../libtorch/attempt.js';
import { compareVersions } from '../libtorch/elf.js';
import { lookUpLibtorch } from '../libtorch/find.js';
import { type LibraryClosure, libraryClosure, missingCudaRuntime } from '../libtorch/library-closure.js';
import { platformKey } from '../libtorch/platform.js';
import { libtorchVersion } from '../libtorch/version.js';
import { addonFolders, hasAddons, lastBuildFailure } from './addon-folder.js';
import { type BuildRecord, engineFile, loaderFile, readBuildRecord, recordFile } from './build-record.js';
import { coded } from './coded.js';
import { systemGlibc } from './glibc.js';
import type { NativeAddon } from './native.js';

const require = createRequire(import.meta.url);

interface LoaderAddon {
  open(paths: string[]): void;
}

export interface LoadedAddon {
  addon: NativeAddon;
  /** folder of the two addons */
  folder: string;
  record: BuildRecord;
  libtorch: FoundLibtorch;
}

let loading: Promise<LoadedAddon> | undefined;

/**
 * The engine of this thread; later calls share the first one's promise. Worker threads each call it once.
 * Rejects with E_ADDON_NOT_BUILT, E_ADDON_LOAD, E_LIBTORCH_NOT_FOUND, E_LIBTORCH_VERSION or E_LIBTORCH_LOAD.
 * After a failure the next call tries again, since the user may have repaired it meanwhile.
 */
export function loadAddon(): Promise<LoadedAddon> {
  loading ??= load().catch((thrown: unknown) => {
    loading = undefined;
    throw thrown;
  });
  return loading;
}

async function load(): Promise<LoadedAddon> {
  const folder = findAddons();
  const record = readBuildRecord(join(folder, recordFile));
  checkRecord(folder, record);
  const libtorch = await lookUpLibtorch({
    variant: record.cuda ? 'cuda' : 'cpu',
    buildId: record.libtorchBuildId,
    knownRoot: record.libtorchRoot,
  });
  openLibtorch(folder, libtorch, record);
  const addon = openEngineAddon(folder, record);
  // 'exit' comes before the C++ runtime's exit handlers, also for process.exit and uncaught errors. Workers leave
  // the engine to the others; the addon waits for their own tasks when their environment is torn down.
  if (isMainThread) process.once('exit', () => addon.shutDown());
  return { addon, folder, record, libtorch };
}

function findAddons(): string {
  const folders = addonFolders();
  const folder = folders.find(hasAddons);
  if (folder) return folder;
  const failure = lastBuildFailure();
  throw new CraneError(
    'E_ADDON_NOT_BUILT',
    `the native engine was not built: looked in ${folders.join(' and ')}${failure ? `\nthe last build stopped: ${failure}` : ''}`,
    { hint: `build it: ${rebuildCommand()} (in ${packageRoot})` },
  );
}

/** What the record says must fit this process before anything is opened. */
function checkRecord(folder: string, record: BuildRecord): void {
  const rebuild = { hint: `build it for this version: ${rebuildCommand()}` };
  const version = packageVersion();
  if (record.version !== version)
    throw new CraneError(
      'E_ADDON_LOAD',
      `${folder} was built from crane-native ${record.version}, this is ${version}`,
      rebuild,
    );
  if (record.libtorch !== libtorchVersion)
    throw new CraneError(
      'E_LIBTORCH_VERSION',
      `${folder} was built for libtorch ${record.libtorch}, this is ${libtorchVersion}`,
      rebuild,
    );
  const napi = Number(process.versions['napi']);
  if (napi < record.napi)
    throw new CraneError(
      'E_ADDON_LOAD',
      `${folder} needs Node-API ${record.napi}, this Node ${process.version} has ${napi}`,
      {
        hint: 'use Node 20.19 or newer',
      },
    );
}

function openLibtorch(folder: string, libtorch: FoundLibtorch, record: BuildRecord): void {
  const loader = open<LoaderAddon>(join(folder, loaderFile), record);
  const closure = libraryClosure(libtorch.torchRoot, record.cuda ? 'cuda' : 'cpu');
  const missing = missingCudaRuntime(closure);
  if (missing.length > 0)
    throw new CraneError(
      'E_LIBTORCH_LOAD',
      `${libtorch.torchRoot} needs ${missing.join(' and ')}, found neither beside it nor in the system`,
      {
        hint: 'fetch a complete libtorch: unset CRANE_LIBTORCH; npx crane-native build --refetch',
      },
    );
  try {
    openInOrder(loader, closure);
  } catch (cause) {
    const message = (cause as Error).message;
    throw new CraneError(
      'E_LIBTORCH_LOAD',
      `libtorch at ${libtorch.torchRoot} cannot be loaded: ${message}`,
      {
        hint: glibcHint(record) ?? 'have it fetched afresh: npx crane-native build --refetch',
        cause,
      },
    );
  }
}

/**
 * Opening a dependency by itself pins it to the file beside libtorch. Some cannot be opened so (libtorch_nvshmem
 * takes symbols of c10_cuda without naming it); the linker then gets them when it opens what needs them, and
 * if that fails, both reasons are told.
 */
function openInOrder(loader: LoaderAddon, closure: LibraryClosure): void {
  const reasons: string[] = [];
  for (const path of closure.paths) {
    try {
      loader.open([path]);
    } catch (thrown) {
      reasons.push((thrown as Error).message);
      if (closure.roots.includes(path)) throw new Error([...new Set(reasons)].join('; '), { cause: thrown });
    }
  }
}

function openEngineAddon(folder: string, record: BuildRecord): NativeAddon {
  return coded(open<NativeAddon>(join(folder, engineFile), record));
}

function open<T>(path: string, record: BuildRecord): T {
  try {
    return require(path) as T;
  } catch (cause) {
    throw new CraneError(
      'E_ADDON_LOAD',
      `${path} cannot be loaded on ${platformKey()}: ${(cause as Error).message}`,
      {
        hint: glibcHint(record) ?? `build it on this machine: ${rebuildCommand()}`,
        cause,
      },
    );
  }
}

/** Explains the commonest reason a prebuilt addon does not load. */
function glibcHint(record: BuildRecord): string | undefined {
  if (process.platform !== 'linux' || !record.glibc) return undefined;
  const here = systemGlibc();
  if (here && compareVersions(here, record.glibc) >= 0) return undefined;
  const found = here ? `this system has ${here}` : 'this system has another C library (musl)';
  return `it needs glibc ${record.glibc}, ${found}: build it here: ${rebuildCommand()}`;
}
