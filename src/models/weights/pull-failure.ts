/** Says why a weight file could not be had, and the way that works without a connection. */
import { CraneError } from '../../errors.js';
import { explainFetchFailure } from '../../net/fetch-failure.js';
import { shownAddress } from '../../terminal/shown-address.js';
import type { PublicFile } from './addresses.js';

const diskCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENOENT', 'ENOSPC', 'EDQUOT']);

export function pullFailure(file: PublicFile, thrown: unknown): CraneError {
  if (thrown instanceof CraneError && thrown.code !== 'E_DOWNLOAD') return thrown;
  const { cause, repair } = explain(file, thrown);
  if (isDiskFault(thrown)) return new CraneError('E_IO_WRITE', cause, { hint: repair, cause: thrown });
  const elsewhere = `get that file elsewhere and import it: npx crane-native weights pull ${file.name} --from FILE`;
  return new CraneError('E_DOWNLOAD', `${file.name}: ${cause}`, {
    hint: repair ? `${repair}; or ${elsewhere}` : elsewhere,
    cause: thrown,
  });
}

function explain(file: PublicFile, thrown: unknown): { cause: string; repair?: string } {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code !== 'ENOTFOUND' && code !== 'EAI_AGAIN')
    return explainFetchFailure(thrown, shownAddress(file.url));
  return {
    cause: `${shownAddress(file.url)}: no connection, ${new URL(file.url).hostname} is not found (${code})`,
  };
}

function isDiskFault(thrown: unknown): boolean {
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  return code !== undefined && diskCodes.has(code) && syscall !== 'connect' && syscall !== 'getaddrinfo';
}
