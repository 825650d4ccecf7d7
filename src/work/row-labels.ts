/** Rows of one piece of work are of the label that its workers agreed in, but those of pictures with choices of their own. */
import type { ResultLine } from '../sinks/result-line.js';
import type { OwnChoices } from '../sources/manifest.js';
import { ownText } from '../sources/manifest-pictures.js';
import type { ChunkLine, Pins } from './submission.js';

const k_none = ownText({});

export class RowLabels {
  /** of choices of pictures, by those: equal ones are labelled alike, or prompts and banks of one name differ */
  readonly #own = new Map<string, string>();

  /** @returns what is wrong, in words */
  check(row: ResultLine, picture: ChunkLine, { model }: Pins): string | undefined {
    if ('error' in row) return undefined;
    const own = ownText(picture as OwnChoices);
    const expected = own === k_none ? model : (this.#own.get(own) ?? row.model);
    if (own !== k_none) this.#own.set(own, expected);
    if (row.model === expected) return undefined;
    return `${row.input} is of ${row.model}, expected ${expected}`;
  }
}
