/** Text files as people have them: UTF-8 with or without its mark, UTF-16 of both orders, as Windows PowerShell writes it. */
import { CraneError } from '../errors.js';

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** Bytes of the head that are enough to tell. */
export const k_textHead = 64;

/** By the byte order mark, or, without one, by where the zero bytes of plain letters stand. */
export function encodingOf(head: Uint8Array): TextEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const pairs = Math.floor(Math.min(head.length, k_textHead) / 2);
  let [high, low] = [0, 0];
  for (let pair = 0; pair < pairs; pair++) {
    if (head[2 * pair] === 0) high++;
    if (head[2 * pair + 1] === 0) low++;
  }
  if (pairs >= 2 && low === pairs && high === 0) return 'utf-16le';
  if (pairs >= 2 && high === pairs && low === 0) return 'utf-16be';
  return 'utf-8';
}

/** Without its byte order mark. @throws CraneError E_TEXT_ENCODING */
export function decodeText(bytes: Uint8Array, name: string): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CraneError('E_TEXT_ENCODING', `${name}: ${describe(encoding)}`, {
      hint: 'save it as UTF-8, for instance with iconv -f latin1 -t utf-8',
      cause,
    });
  }
}

function describe(encoding: TextEncoding): string {
  return encoding === 'utf-8'
    ? 'its characters are neither UTF-8 nor UTF-16'
    : `begins as ${encoding.toUpperCase()} but is damaged`;
}
