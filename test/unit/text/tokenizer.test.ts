import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cleanText } from '../../../src/text/clean-text.js';
import { encodeText, tokenize } from '../../../src/text/tokenizer.js';

interface Case {
  text: string;
  ids: number[];
  ftfy_changes: boolean;
  fits: boolean;
  truncated?: number[];
}
const path = new URL('./cases.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] };
const comparable = cases.filter((entry) => !entry.ftfy_changes);

describe(`the reference's ids (${comparable.length} of ${cases.length} texts: the others are altered by ftfy)`, () => {
  it.each(comparable.map((entry) => [JSON.stringify(entry.text).slice(0, 60), entry] as const))(
    '%s',
    async (_, entry) => {
      expect(await encodeText(entry.text)).toEqual(entry.ids);
      const { ids, truncated } = await tokenize(entry.text);
      expect(truncated).toBe(!entry.fits);
      if (entry.truncated) expect([...ids]).toEqual(entry.truncated);
    },
  );
});

describe('cleaning a text', () => {
  it.each([
    ['&amp;lt;B&amp;gt;', '<b>'],
    ['a&notit; &ampx &nosuch; &', 'a¬it; &x &nosuch; &'],
    ['&#65;&#x42;&#0;&#150;&#1;&#xD800;', 'ab\ufffd–\ufffd'],
    [' a \t\n\x1c\x85\u3000b\u00a0', 'a b'],
    ['ΑΣ İ', 'ας i̇'],
  ])('%j becomes %j', async (text, clean) => {
    expect(await cleanText(text)).toBe(clean);
  });
});

it('the special tokens and texts of any length make no trouble', async () => {
  expect(await encodeText('<|startoftext|>a<|ENDOFTEXT|>')).toEqual([49406, 320, 49407]);
  const { ids, truncated } = await tokenize('word '.repeat(1000));
  expect([ids.length, ids[0], ids[76], truncated]).toEqual([77, 49406, 49407, true]);
});
