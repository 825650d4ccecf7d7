/** tokenizer/: texts to token ids. */
import { encodeText, tokenize } from '#crane/text/tokenizer.js';
import type { Area } from '../area.js';
import { compareBits } from '../compare/compare.js';

interface TokenizerCases {
  sot: number;
  eot: number;
  context_length: number;
  cases: TokenizerCase[];
}

interface TokenizerCase {
  text: string;
  /** without start and end */
  ids: number[];
  /** true where the reference repairs the text first; only a tokenizer with that repair is expected to match */
  ftfy_changes: boolean;
  /** false: more than fits between start and end of the context */
  fits: boolean;
  /** all ids of the context where it was cut */
  truncated?: number[];
}

const path = 'tokenizer/cases.json';

export const tokenizer: Area = {
  name: 'tokenizer',
  async run({ folder, report }) {
    for (const merges of folder.list(/^tokenizer\/bpe_.*\.txt\.gz$/)) folder.claim(merges);
    if (!folder.has(path)) return;
    const { cases, context_length, sot, eot } = folder.json<TokenizerCases>(path);
    await report.case(path, {}, async (caseReport) => {
      let repaired = 0;
      let repairedEqual = 0;
      let texts = 0;
      let values = 0;
      const contexts: number[] = [];
      const gotContexts: number[] = [];
      for (const { text, ids, ftfy_changes, fits, truncated } of cases) {
        const got = await encodeText(text);
        const isEqual = got.length === ids.length && got.every((id, i) => id === ids[i]);
        if (ftfy_changes) {
          repaired++;
          if (isEqual) repairedEqual++;
          continue;
        }
        texts++;
        values += ids.length;
        if (!isEqual)
          caseReport.holds(JSON.stringify(text), 'token ids', ids.length, false, `${got}, expected ${ids}`);
        const context = await tokenize(text);
        if (context.truncated === fits)
          caseReport.fault(`${JSON.stringify(text)}: fits ${!context.truncated}, expected ${fits}`);
        const whole = truncated ?? [sot, ...ids, eot];
        const padded = whole.concat(new Array<number>(Math.max(0, context_length - whole.length)).fill(0));
        contexts.push(...padded);
        gotContexts.push(...context.ids);
      }
      caseReport.holds(`ids of ${texts} texts`, 'token ids', values, true);
      caseReport.compared(
        `whole contexts of ${texts} texts`,
        'token ids',
        compareBits(contexts, gotContexts),
      );
      if (repaired > 0) {
        caseReport.notCompared(
          `${repaired} texts`,
          `the reference repairs them first, which is not expected of others (${repairedEqual} are equal all the same)`,
        );
      }
    });
  },
};
