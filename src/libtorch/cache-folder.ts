/** Where a fetched libtorch is kept. */
import { join } from 'node:path';
import { cacheFolder } from '../files/cache-folder.js';
import { type LibtorchVariant, libtorchVersion } from './version.js';

/** Holds torch/lib, torch/include and nvidia/cu13/lib, as in site-packages, so that the libraries' RPATH works. */
export async function libtorchCacheFolder(
  variant: LibtorchVariant,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  return join(await cacheFolder(env), `libtorch-${libtorchVersion}-${variant === 'cuda' ? 'cu130' : 'cpu'}`);
}
