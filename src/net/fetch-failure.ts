/** Turns what a fetch threw into a cause and, where one is known, its repair. Rethrows faults of our own. */
import { CraneError } from '../errors.js';
import { HttpError } from './http-client.js';
import { explain } from './retry.js';
import { ZipError } from './zip-directory.js';
import { DamagedMember } from './zip-member.js';

export interface FetchFailure {
  cause: string;
  repair?: string;
}

const fileSystem: Record<string, string> = {
  EACCES: 'may not be written',
  EPERM: 'may not be written',
  EROFS: 'is read-only',
  ENOTDIR: 'is not a folder',
  ENOENT: 'cannot be created',
  EEXIST: 'is not a folder',
  ENOSPC: 'is on a full disk',
  EDQUOT: 'is over its quota',
};

export function explainFetchFailure(thrown: unknown, from: string): FetchFailure {
  if (!(thrown instanceof Error) || thrown instanceof TypeError || thrown instanceof ReferenceError)
    throw thrown;
  if (thrown instanceof CraneError)
    return { cause: thrown.message, ...(thrown.hint ? { repair: thrown.hint } : {}) };
  const { code, path, syscall } = thrown as NodeJS.ErrnoException;
  const trouble = code && syscall !== 'connect' && syscall !== 'getaddrinfo' ? fileSystem[code] : undefined;
  if (trouble && (path !== undefined || code === 'ENOSPC' || code === 'EDQUOT'))
    return {
      cause: `the cache folder ${trouble}${path ? `: ${path}` : ''} (${code})`,
      repair: 'name another folder: export CRANE_CACHE=<writable folder>',
    };
  if (thrown instanceof HttpError) return { cause: thrown.message };
  if (thrown instanceof ZipError || thrown instanceof DamagedMember)
    return { cause: `${from}: ${thrown.message}` };
  const isCertificate = /certificate|CERT|SELF_SIGNED/.test(`${code} ${thrown.message}`);
  return {
    cause: `${from}: ${explain(thrown)}`,
    ...(isCertificate ? { repair: 'name your certificate authority: export PIP_CERT=<file.pem>' } : {}),
  };
}
