/** The formats of `--format`. A new one is a file in this folder, its name in src/options/score.ts, and its row here. */
import type { Writable } from 'node:stream';
import type { ScoreCommandOptions } from '../options/types.js';
import { csv } from './csv.js';
import { jsonLines } from './json-lines.js';
import { parquet } from './parquet.js';
import type { Look, ResultWriter } from './result-writer.js';
import { table } from './table.js';

export type WrittenFormat = Exclude<ScoreCommandOptions['format'], 'auto'>;

export const writers: Record<
  WrittenFormat,
  (stream: Writable, look: Look) => ResultWriter | Promise<ResultWriter>
> = {
  table,
  jsonl: jsonLines,
  csv,
  parquet,
};
