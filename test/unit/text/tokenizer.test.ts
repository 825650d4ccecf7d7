import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
