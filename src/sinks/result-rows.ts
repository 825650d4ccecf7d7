/** The rows of a finished results file, as they come. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { codedReadError } from '../files/open-file.js';
import type { ResultLine } from './result-line.js';

/** What merging relies on; whatever else a row holds stays as it is. */
const row = z.looseObject({ input: z.string(), index: z.int().nonnegative() });

export interface NumberedRow {
  row: ResultLine;
  /** from 1 */
  line: number;
}

/** @throws CraneError E_SHARDS for a line that is none, E_INPUT_*, E_IO_READ */
export async function* resultRows(path: string): AsyncGenerator<NumberedRow> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  let line = 0;
  try {
    for await (const text of lines) {
      line++;
      yield { row: parsed(text, path, line), line };
    }
  } catch (cause) {
    throw cause instanceof CraneError ? cause : codedReadError(path, cause);
  }
}

function parsed(text: string, path: string, line: number): ResultLine {
  try {
    const value: unknown = JSON.parse(text);
    row.parse(value);
    return value as ResultLine;
  } catch (cause) {
    throw new CraneError('E_SHARDS', `${path}: line ${line} is no result`, { cause });
  }
}
