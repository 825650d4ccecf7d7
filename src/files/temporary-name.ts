/** Temporary names of files, and errors about a file that is written under one. */
import { createHash, randomBytes } from 'node:crypto';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import { CraneError, toCraneError } from '../errors.js';

/** Whose file it is stands in its name, since a process that was killed can take nothing away. */
const k_writer = /^\.(?<of>.*)\.(?<host>[0-9a-f]{8})-(?<pid>\d+)-[0-9a-f]{12}\.tmp(\.\d+-\d+\.tmp)?$/;

/**
 * In the same folder, hidden, and nobody else's: scans pass it over, and a rename within a folder is one step.
 * @throws CraneError E_USAGE for a path with a NUL, at which native code would end it
 */
export function temporaryBeside(path: string): string {
  if (path.includes('\0'))
    throw new CraneError('E_USAGE', `${JSON.stringify(path)}: a path holds no NUL character`);
  const writer = `${hostTag()}-${process.pid}-${randomBytes(6).toString('hex')}`;
  return join(dirname(path), `.${shortName(path)}.${writer}.tmp`);
}

/** A name of temporaryBeside, or of the native writer beside one. of: of which path, as far as its name tells */
export function writerOf(name: string): { of: string; isThisHost: boolean; pid: number } | undefined {
  const { of, host, pid } = k_writer.exec(name)?.groups ?? {};
  if (of === undefined) return undefined;
  return { of, isThisHost: host === hostTag(), pid: Number(pid) };
}

/** The name that a file of the native writer is to get, which writes beside it; undefined: none of those */
export function ofNativeWriter(name: string): string | undefined {
  return /^(?<of>.+)\.\d+-\d+\.tmp$/.exec(name)?.groups?.['of'];
}

/** What a temporary name keeps of its path: names may have 255 bytes, and a character up to four of them. */
export function shortName(path: string): string {
  return basename(path).slice(0, 48);
}

function hostTag(): string {
  return createHash('sha256').update(os.hostname()).digest('hex').slice(0, 8);
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
