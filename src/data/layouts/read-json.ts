/** Reads a file of JSON that came with a data set. */
import { readFile, stat } from 'node:fs/promises';
import { CraneError } from '../../errors.js';
import { codedReadError } from '../../files/open-file.js';
import { decodeText } from '../../files/text.js';

/** Many times what any data set has. */
const k_maxBytes = 64 * 2 ** 20;

/** @throws CraneError E_DATA_META, E_TEXT_ENCODING, E_INPUT_*, E_IO_READ */
export async function readJson(file: string): Promise<unknown> {
  try {
    const { size } = await stat(file);
    if (size > k_maxBytes)
      throw new CraneError('E_DATA_META', `${file}: ${size} bytes, at most ${k_maxBytes} are read`);
    return JSON.parse(decodeText(await readFile(file), file));
  } catch (thrown) {
    if (thrown instanceof CraneError) throw thrown;
    if (!(thrown instanceof SyntaxError)) throw codedReadError(file, thrown);
    throw new CraneError('E_DATA_META', `${file}: not JSON (${thrown.message.slice(0, 120)})`, {
      cause: thrown,
    });
  }
}
