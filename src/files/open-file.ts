/** Opens a picture file for reading, with a coded error for each way in which that fails. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CraneError } from '../errors.js';

export interface OpenFile {
  /** bytes at a position; fewer at the end of the file */
  read(position: number, length: number): Promise<Uint8Array>;
  bytes: number;
  close(): Promise<void>;
}

/** @throws CraneError E_INPUT_NOT_FOUND, E_INPUT_PERMISSION, E_INPUT_IS_DIRECTORY or E_IO_READ */
export async function openPictureFile(path: string): Promise<OpenFile> {
  const file = await openCoded(path);
  try {
    const stat = await file.stat();
    checkRegular(path, stat);
    return {
      bytes: stat.size,
      close: () => file.close(),
      read: async (position, length) => {
        const buffer = Buffer.alloc(Math.max(0, Math.min(length, stat.size - position)));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        return buffer.subarray(0, bytesRead);
      },
    };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** Reading a named pipe would wait for its writer, forever if there is none. @throws CraneError E_INPUT_IS_DIRECTORY, E_IO_READ */
export function checkRegular(path: string, facts: { isDirectory(): boolean; isFile(): boolean }): void {
  if (facts.isDirectory()) throw isDirectory(path, 'a picture');
  if (facts.isFile()) return;
  throw new CraneError('E_IO_READ', `${path}: not a regular file`, {
    hint: 'pipe the picture in: ... | crane-native score -',
  });
}

async function openCoded(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK the open of a named pipe would wait for its writer, forever if there is none.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw codedReadError(path, cause, 'a picture');
  }
}

/**
 * The code for an error of the file system while an input is read.
 * @param wanted what was expected where a folder is
 */
export function codedReadError(path: string, cause: unknown, wanted = 'a file'): CraneError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CraneError('E_INPUT_NOT_FOUND', `${path}: there is no such file`, {
      // What a name's bytes became that are no UTF-8: no text can name that file any more.
      hint: path.includes('\ufffd')
        ? 'its name holds bytes that are not UTF-8: name its folder, whose files are read by their bytes, or rename it'
        : undefined,
      cause,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CraneError('E_INPUT_PERMISSION', `${path}: may not be read`, {
      hint: 'check its permissions',
      cause,
    });
  }
  if (code === 'EISDIR') return isDirectory(path, wanted);
  return new CraneError('E_IO_READ', `${path}: ${message}`, { cause });
}

function isDirectory(path: string, wanted: string): CraneError {
  return new CraneError('E_INPUT_IS_DIRECTORY', `${path}: a folder, expected ${wanted}`);
}
