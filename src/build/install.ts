/**
 * What `npm install` does after the files are in place (called by scripts/install.mjs). A prebuilt engine needs
 * libtorch only; everything else is built from source.
 *
 * npm hides the output of a script that succeeds, so what the user must act on (a missing tool, a compile
 * error) fails the install. A libtorch that cannot be fetched does not: the machine may be offline for now,
 * and the first use says what is missing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasAddons } from '../addon/addon-folder.js';
import { type BuildRecord, readBuildRecord, recordFile } from '../addon/build-record.js';
import { systemGlibc } from '../addon/glibc.js';
import { type CraneError, toCraneError } from '../errors.js';
import { packageRoot, packageVersion, rebuildCommand } from '../files/package-root.js';
import { compareVersions } from '../libtorch/elf.js';
import { findLibtorch } from '../libtorch/find.js';
import { platformKey } from '../libtorch/platform.js';
import { buildAddon } from './build-addon.js';

export interface InstallOptions {
  root?: string;
  log?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
}

/** Returns the exit code of the install script. */
export async function install(options: InstallOptions = {}): Promise<number> {
  const root = options.root ?? packageRoot;
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const env = options.env ?? process.env;
  let prebuilt: BuildRecord | undefined;
  try {
    prebuilt = usablePrebuild(root, log);
    if (prebuilt) {
      log(`crane-native: prebuilt engine for ${platformKey()}, nothing to compile`);
      const variant = prebuilt.cuda ? 'cuda' : 'cpu';
      await findLibtorch({ variant, headers: false, buildId: prebuilt.libtorchBuildId, env, log });
    } else {
      await buildAddon({ root, env, log });
    }
    return 0;
  } catch (thrown) {
    const error = toCraneError(thrown);
    log(`crane-native: ${error.code}: ${error.message}`);
    if (error.hint) log(`  what to do: ${error.hint}`);
    if (!isForLater(error)) return error.exitCode;
    const command = prebuilt ? 'npx crane-native build --fetch' : rebuildCommand(root);
    log(`  the package is installed, but nothing can be scored before: ${command}`);
    return 0;
  }
}

function isForLater(error: CraneError): boolean {
  return ['E_LIBTORCH_NOT_FOUND', 'E_DOWNLOAD', 'E_IO_WRITE'].includes(error.code);
}

function usablePrebuild(root: string, log: (line: string) => void): BuildRecord | undefined {
  // a clone builds what its sources say
  if (existsSync(join(root, 'src'))) return undefined;
  const folder = join(root, 'prebuilds', platformKey());
  if (!hasAddons(folder)) return undefined;
  const record = readBuildRecord(join(folder, recordFile));
  if (record.version !== packageVersion(root)) return undefined;
  if (!record.glibc) return record;
  const here = systemGlibc();
  if (here && compareVersions(here, record.glibc) >= 0) return record;
  log(
    `crane-native: the prebuilt engine needs glibc ${record.glibc}, here is ${here ?? 'another C library'}; building from source`,
  );
  return undefined;
}
