/** The store of an address. */
import { CraneError } from '../errors.js';
import { shownAddress } from '../terminal/shown-address.js';
import { LocalStore } from './local-store.js';
import type { Store } from './store.js';

const k_scheme = /^([a-z][a-z0-9+.-]*):\/\//i;

/** A path, or s3://BUCKET/PREFIX. @throws CraneError E_USAGE for another scheme, E_DEPENDENCY */
export async function openStore(address: string): Promise<Store> {
  const scheme = k_scheme.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) return new LocalStore(address);
  if (scheme === 's3') return (await import('./s3-store.js')).openS3Store(address);
  throw new CraneError(
    'E_USAGE',
    `${shownAddress(address)}: results are not kept at addresses of kind "${scheme}"`,
    {
      hint: 'give a folder, or s3://BUCKET/PREFIX',
    },
  );
}

export function isRemote(address: string): boolean {
  return k_scheme.test(address);
}
