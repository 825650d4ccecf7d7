/** Temporary names of files, and errors about a file that is written under one. */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { CraneError, toCraneError } from '../errors.js';

/** In the same folder, hidden, and nobody else's: scans pass it over, and a rename within a folder is one step. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 60)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** The user knows the name that was asked for, not the one it is written under. */
export function withoutTemporary(thrown: unknown, temporary: string, shown: string): CraneError {
  if (thrown instanceof Error && 'syscall' in thrown) {
    // Node says "EACCES: permission denied, mkdir '<path>'"
    const what = /^[A-Z]+: ([^,]+),/.exec(thrown.message)?.[1] ?? thrown.message;
    return new CraneError('E_IO_WRITE', `${shown}: cannot be written: ${what}`, {
      hint: 'check that the folder may be written and that the disk has room',
      cause: thrown,
    });
  }
  const error = toCraneError(thrown);
  if (!error.message.includes(temporary)) return error;
  return new CraneError(error.code, error.message.replaceAll(temporary, shown), {
    hint: error.hint,
    cause: error,
  });
}
