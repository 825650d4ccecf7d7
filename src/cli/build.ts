/** `crane-native build`: (re)builds the native engine, or with --fetch only gets libtorch. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import type { BuildCommandOptions } from '../options/types.js';
import { flagsFor, readFlags } from './flags.js';

const names = ['clean', 'tests', 'fetch', 'refetch', 'jobs'] as const;

export const buildCommand: CommandModule = {
  command: 'build',
  describe: 'build the native engine (CRANE_LIBTORCH, CRANE_CACHE, CRANE_CUDA choose what it is built on)',
  builder: (yargs) => yargs.options(flagsFor(names)),
  handler: async (argv) => {
    const { clean, tests, fetch, refetch, jobs } = readFlags(argv, names) as Omit<
      BuildCommandOptions,
      'jobs'
    > &
      Partial<Pick<BuildCommandOptions, 'jobs'>>;
    if (fetch || refetch) return fetchOnly(refetch);
    const { buildAddon } = await import('../build/build-addon.js');
    await buildAddon({ clean, tests, ...(jobs === undefined ? {} : { jobs }) });
  },
};

/** Gets what the engine that is there needs: its variant, its build id, no headers. */
async function fetchOnly(dropFirst: boolean): Promise<void> {
  const { addonFolders, hasAddons } = await import('../addon/addon-folder.js');
  const { readBuildRecord, recordFile } = await import('../addon/build-record.js');
  const { findLibtorch } = await import('../libtorch/find.js');
  const folder = addonFolders().find(hasAddons);
  const record = folder ? readBuildRecord(join(folder, recordFile)) : undefined;
  const variant = record?.cuda ? 'cuda' : 'cpu';
  if (dropFirst) {
    const { dropCached } = await import('../libtorch/way-cache.js');
    await dropCached(variant);
  }
  await findLibtorch({ variant, headers: false, buildId: record?.libtorchBuildId });
}
