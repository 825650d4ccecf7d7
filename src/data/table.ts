/** Tables of data sets: CSV with commas, semicolons or tabs, in the encodings that people's programs write. */
import { readFile, stat } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { codedReadError } from '../files/open-file.js';
import { loadOptional } from '../files/optional-packages.js';
import { decodeText } from '../files/text.js';

/** Severstal's table holds the masks of 12,000 pictures as text. */
const k_maxBytes = 256 * 2 ** 20;
const k_maxRecord = 8 * 2 ** 20;

export interface Table {
  columns: string[];
  rows: string[][];
}

/** Names of columns and cells without blanks around them. @throws CraneError E_DATA_META, E_TEXT_ENCODING, E_INPUT_* */
export async function readTable(file: string): Promise<Table> {
  const text = await readText(file);
  const { parse } = await loadOptional(`reading ${file}`, ['csv-parse'], () => import('csv-parse/sync'));
  try {
    const [columns = [], ...rows]: string[][] = parse(text, {
      bom: true,
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
      delimiter: delimiterOf(text),
      max_record_size: k_maxRecord,
    });
    return { columns, rows };
  } catch (cause) {
    throw new CraneError('E_DATA_META', `${file}: ${(cause as Error).message}`, { cause });
  }
}

/** By the first line: what a country's spreadsheets write there, they write everywhere. */
export function delimiterOf(text: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  const counts = [',', ';', '\t'].map((sign) => ({ sign, count: line.split(sign).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).sign;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > k_maxBytes)
      throw new CraneError('E_DATA_META', `${file}: ${size} bytes, at most ${k_maxBytes} are read`);
    return decodeText(await readFile(file), file);
  } catch (thrown) {
    throw thrown instanceof CraneError ? thrown : codedReadError(file, thrown);
  }
}
