/** What names a picture's features in caches: equal names, equal pixels. */
import { contentHash } from '../files/content-hash.js';
import { openPictureFile } from '../files/open-file.js';
import { headBytes, sniffFormat } from './format.js';

const k_png16 = 16;

/**
 * The hash of the file, with a mark where the same bytes become other pixels than in version 0.1.0: TIFFs, read by
 * their tags since, and PNGs of 16 bits, scaled since. Features that 0.1.0 kept of all others are used on.
 * @throws CraneError E_INPUT_*, E_IO_READ
 */
export async function pictureIdentity(path: string): Promise<string> {
  const file = await openPictureFile(path);
  try {
    const head = await file.read(0, headBytes);
    const format = sniffFormat(head);
    const isReadAnew = format === 'tiff' || (format === 'png' && head[24] === k_png16);
    return `${await contentHash(path)}${isReadAnew ? '-2' : ''}`;
  } finally {
    await file.close();
  }
}
