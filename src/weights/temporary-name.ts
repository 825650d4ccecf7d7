/** Errors about a file that is written under a temporary name. */
import { CraneError, toCraneError } from '../errors.js';
import { codedWriteError } from '../output/write-whole.js';

/** The user knows the name that was asked for, not the one it is written under. */
export function withoutTemporary(thrown: unknown, temporary: string, shown: string): CraneError {
  if (thrown instanceof Error && 'syscall' in thrown) return codedWriteError(shown, thrown);
  const error = toCraneError(thrown);
  if (!error.message.includes(temporary)) return error;
  return new CraneError(error.code, error.message.replaceAll(temporary, shown), {
    hint: error.hint,
    cause: error,
  });
}
