/** Builds the two addons from source into build/Release and writes the record beside them. */
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failureFile } from '../addon/addon-folder.js';
import { type BuildRecord, engineFile, loaderFile, recordFile } from '../addon/build-record.js';
import { CraneError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import { packageRoot, packageVersion } from '../files/package-root.js';
import { codedWriteError, writeWhole } from '../files/write-whole.js';
import { compareVersions, readElf } from '../libtorch/elf.js';
import { findLibtorch } from '../libtorch/find.js';
import { type LibtorchVariant, libtorchVersion } from '../libtorch/version.js';
import { checkBuildPackages, findBuildTools } from './build-tools.js';
import { compileJobs } from './compile-jobs.js';
import { keepsCache, parseConfiguration } from './configuration.js';
import { cudaChoice } from './cuda-choice.js';
import { runCmake } from './run-cmake.js';

export interface BuildOptions {
  /** configure from nothing */
  clean?: boolean;
  /** GoogleTest suite too */
  tests?: boolean;
  jobs?: number;
  log?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
  /** folder of CMakeLists.txt and of build/ */
  root?: string;
}

/** Node-API level the addons are compiled for (NAPI_VERSION in CMakeLists.txt). */
const napiLevel = 8;

/** What the folder of the build was configured with. */
const k_configured = 'configured.json';

/**
 * Resolves to the folder of the addons. Rejects with E_BUILD_TOOLS, E_BUILD, E_IO_WRITE or findLibtorch's errors; the
 * account of a failure is kept so that the first use can quote it. A second build without changes takes a second.
 */
export async function buildAddon(options: BuildOptions = {}): Promise<string> {
  const root = options.root ?? packageRoot;
  const out = join(root, 'build');
  const failure = join(root, failureFile);
  try {
    await makeFolder(out);
    const folder = await build(root, options);
    await rm(failure, { force: true });
    return folder;
  } catch (thrown) {
    const error = isOfFolder(out, thrown) ? unwritable(out, thrown) : thrown;
    // Where it cannot be kept, what is told is why the build stopped.
    if (error instanceof CraneError)
      await writeFile(failure, `${error.code}: ${error.message}\n`).catch(() => {});
    throw error;
  }
}

function isOfFolder(folder: string, thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).path?.startsWith(folder) === true;
}

function unwritable(folder: string, thrown: unknown): CraneError {
  const { code, message, hint } = codedWriteError(folder, thrown, 'folder');
  return new CraneError(code, message, {
    hint: hint ?? 'build as a user who may write there, or install the package where you may',
    cause: thrown,
  });
}

async function build(root: string, options: BuildOptions): Promise<string> {
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const env = options.env ?? process.env;
  const out = join(root, 'build');
  const startedAt = Date.now();

  // tools first: nobody should download 125 MB to learn that cmake is missing
  checkBuildPackages();
  const tools = await findBuildTools(env);
  log(
    `tools: cmake ${tools.cmakeVersion}, ${tools.compilerVersion ?? 'Visual Studio'}, ${tools.generator ?? 'its generator'}`,
  );
  const cuda = await cudaChoice(env);
  log(`CUDA: ${cuda.reason}`);
  const variant: LibtorchVariant = cuda.on ? 'cuda' : 'cpu';
  const libtorch = await findLibtorch({ variant, headers: true, env, log });

  const definitions: Record<string, string> = {
    CRANE_VERSION: packageVersion(root),
    CRANE_LIBTORCH_ROOT: libtorch.torchRoot,
    CRANE_LIBTORCH_BUILD_ID: libtorch.buildId ?? '',
    CRANE_CUDA: cuda.on ? 'on' : 'off',
    CRANE_TESTS: options.tests ? 'ON' : 'OFF',
    ...(cuda.nvcc ? { CMAKE_CUDA_COMPILER: cuda.nvcc } : {}),
  };
  const run = {
    source: root,
    out,
    logFile: join(out, 'build.log'),
    definitions,
    generator: tools.generator,
    jobs: options.jobs ?? compileJobs(env),
    targets: [],
  };
  await writeFile(run.logFile, '');
  const wanted = { definitions, generator: tools.generator, compiler: tools.compilerVersion };
  const stamp = JSON.stringify(wanted);
  const stampFile = join(out, k_configured);
  if (options.clean) await forgetConfiguration(out);
  const before = existsSync(join(out, 'CMakeCache.txt')) ? readIfThere(stampFile) : undefined;
  if (before !== stamp) {
    if (before === undefined || !keepsCache(parseConfiguration(before), wanted))
      await forgetConfiguration(out);
    // Where the configuring is ended, what it leaves is not gone on with.
    await rm(stampFile, { force: true });
    log('configuring');
    await runCmake({ ...run, command: 'configure' });
    await writeWhole(stampFile, stamp, { overwrite: true });
  }
  log(`compiling with ${run.jobs} ${run.jobs === 1 ? 'job' : 'jobs'} (output in ${run.logFile})`);
  await runCmake({ ...run, command: 'build' });

  const folder = join(out, 'Release');
  const enginePath = join(folder, engineFile);
  if (!existsSync(enginePath))
    throw new CraneError('E_BUILD', `the build made no ${enginePath}`, { hint: run.logFile });
  const glibc = newestGlibc([enginePath, join(folder, loaderFile)]);
  const record: BuildRecord = {
    version: packageVersion(root),
    libtorch: libtorchVersion,
    libtorchBuildId: libtorch.buildId ?? '',
    cuda: cuda.on,
    napi: napiLevel,
    ...(glibc ? { glibc } : {}),
    libtorchRoot: libtorch.torchRoot,
  };
  await writeWhole(join(folder, recordFile), `${JSON.stringify(record, null, 2)}\n`, { overwrite: true });
  log(`built ${enginePath} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return folder;
}

/** The oldest glibc that serves both addons. */
function newestGlibc(paths: string[]): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return paths
    .flatMap((path) => readElf(path)?.glibc ?? [])
    .sort(compareVersions)
    .at(-1);
}

async function forgetConfiguration(out: string): Promise<void> {
  for (const name of ['CMakeCache.txt', 'CMakeFiles', k_configured])
    await rm(join(out, name), { recursive: true, force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
