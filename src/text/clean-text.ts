/** What CLIP does to a text before it is split: entities, white space, lower case. Without ftfy's repairs. */
import { readFile } from 'node:fs/promises';

/** White space as Unicode-aware Python counts it: four separators and U+0085 more than JavaScript, U+FEFF not. */
export const k_whiteSpace =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const runs = new RegExp(`[${k_whiteSpace}]+`, 'gu');
const reference = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g;

/** HTML's own replacements for numbers of the old Windows code page. */
const windowsNumbers = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

type EntityTable = Record<string, string>;
let entities: Promise<EntityTable> | undefined;

export async function cleanText(text: string): Promise<string> {
  const table = text.includes('&') ? await entityTable() : {};
  const unescaped = unescapeHtml(unescapeHtml(text, table), table);
  return unescaped.replace(runs, ' ').replace(/^ | $/g, '').toLowerCase();
}

function entityTable(): Promise<EntityTable> {
  const path = new URL('../../assets/html-entities.json', import.meta.url);
  entities ??= readFile(path, 'utf8').then((json) => JSON.parse(json) as EntityTable);
  return entities;
}

/** One round of HTML character references, by the rules for text of the HTML standard. */
export function unescapeHtml(text: string, table: EntityTable): string {
  return text.replace(reference, (whole, body: string) => {
    if (body.startsWith('#')) return fromNumber(body);
    if (Object.hasOwn(table, body)) return table[body]!;
    // Some old names work without their semicolon: the longest one that begins the word.
    for (let length = body.length - 1; length > 1; length--) {
      const name = body.slice(0, length);
      if (Object.hasOwn(table, name)) return table[name] + body.slice(length);
    }
    return whole;
  });
}

function fromNumber(body: string): string {
  const digits = body.replace(/;$/, '').slice(1);
  const code = /^x/i.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
  if (code === 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return '\ufffd';
  if (code === 0x0d) return '\r';
  if (code >= 0x80 && code <= 0x9f) return windowsNumbers[code - 0x80]!;
  return isInvalidCode(code) ? '' : String.fromCodePoint(code);
}

/** Control characters and the code points that Unicode keeps for no character. */
function isInvalidCode(code: number): boolean {
  return (
    (code >= 0x1 && code <= 0x8) ||
    code === 0xb ||
    (code >= 0xe && code <= 0x1f) ||
    code === 0x7f ||
    (code >= 0xfdd0 && code <= 0xfdef) ||
    (code & 0xfffe) === 0xfffe
  );
}
