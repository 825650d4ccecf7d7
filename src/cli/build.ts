/** `crane-native build`: (re)builds the native engine, or with --fetch only gets libtorch. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';

interface BuildArguments {
  clean: boolean;
  tests: boolean;
  fetch: boolean;
  refetch: boolean;
  jobs: number | undefined;
}

export const buildCommand: CommandModule<object, BuildArguments> = {
  command: 'build',
  describe: 'build the native engine (CRANE_LIBTORCH, CRANE_CACHE, CRANE_CUDA choose what it is built on)',
  builder: {
    clean: { type: 'boolean', default: false, describe: 'configure from nothing' },
    tests: { type: 'boolean', default: false, describe: 'build the native tests too (needs GoogleTest)' },
    fetch: { type: 'boolean', default: false, describe: 'only find or fetch libtorch, compile nothing' },
    refetch: { type: 'boolean', default: false, describe: 'as --fetch, after dropping what the cache has' },
    jobs: { type: 'number', describe: 'compilers at once (default: cores, fewer when memory is short)' },
  },
  handler: async ({ clean, tests, fetch, refetch, jobs }) => {
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
