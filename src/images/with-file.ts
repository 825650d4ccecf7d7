/** Opens a picture that is a file, or bytes of one, and knows its format by its first bytes. */
import { CraneError } from '../errors.js';
import { type OpenFile, openPictureFile } from '../files/open-file.js';
import { headBytes, type PictureFormat, pictureKind, readTitles, unmarkedKind } from './format.js';
import type { PictureFile } from './picture-input.js';

/** @throws CraneError E_INPUT_*, E_IMAGE_EMPTY, E_IMAGE_FORMAT, E_IMAGE_DECODE */
export async function withFile<T>(
  source: PictureFile,
  work: (format: PictureFormat, head: Uint8Array, file: OpenFile) => Promise<T>,
): Promise<T> {
  const { name } = source;
  const file = source.kind === 'file' ? await openPictureFile(source.path) : openBytes(source.bytes);
  try {
    if (file.bytes === 0) throw new CraneError('E_IMAGE_EMPTY', `${name}: the file has zero bytes`);
    const head = await file.read(0, headBytes);
    return await work(readFormatOf(name, head), head, file);
  } finally {
    await file.close();
  }
}

/** @throws CraneError E_IMAGE_FORMAT for a format that is recognised but not read, E_IMAGE_DECODE for anything else */
function readFormatOf(name: string, head: Uint8Array): PictureFormat {
  const found = pictureKind(head);
  if (found.kind === 'read') return found.format;
  const meant = found.kind === 'known' ? found : unmarkedKind(name);
  if (meant.kind === 'known') {
    throw new CraneError('E_IMAGE_FORMAT', `${name}: a file of format ${meant.title}, which is not read`, {
      hint: meant.hint,
    });
  }
  throw new CraneError('E_IMAGE_DECODE', `${name}: not a picture of a kind that is read`, {
    hint: `read are ${readTitles.join(', ')}`,
  });
}

/** Readers that know only bytes leave the name of the file to us. */
export async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof CraneError) || thrown.message.startsWith(name)) throw thrown;
    throw new CraneError(thrown.code, `${name}: ${thrown.message}`, { hint: thrown.hint, cause: thrown });
  }
}

function openBytes(bytes: Uint8Array): OpenFile {
  return {
    bytes: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    close: async () => {},
  };
}
