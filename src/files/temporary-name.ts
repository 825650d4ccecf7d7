/** Errors about a file that is written under a temporary name. */
import { CraneError, toCraneError } from '../errors.js';

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
