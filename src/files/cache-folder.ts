/** Where fetched things are kept: CRANE_CACHE, else crane-native in the platform's cache folder. */
import { resolve } from 'node:path';
import { CraneError } from '../errors.js';

/**
 * The cache folder of this package; not created. Rejects with E_IO_WRITE when the platform cannot name a home.
 * env-paths asks for the home folder while it is being imported, which throws where there is none.
 */
export async function cacheFolder(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const chosen = env['CRANE_CACHE'];
  if (chosen) return resolve(chosen);
  try {
    const { default: envPaths } = await import('env-paths');
    return envPaths('crane-native', { suffix: '' }).cache;
  } catch (cause) {
    throw new CraneError('E_IO_WRITE', 'this user has no home folder, so there is no cache folder', {
      hint: 'name one: export CRANE_CACHE=<writable folder>',
      cause,
    });
  }
}
