/** The formats of `--format`. A new one is a file in this folder, its name in src/options/score.ts, and its row here. */
import type { Writable } from 'node:stream';
import type { ScoreCommandOptions } from '../options/types.js';
import type { Look, ResultWriter } from './result-writer.js';

export type WrittenFormat = Exclude<ScoreCommandOptions['format'], 'auto' | 'labelme'>;

type MakeWriter = (stream: Writable, look: Look) => Promise<ResultWriter>;

/** Loaded when asked for, with the packages that only one of them needs. */
export const writers: Record<WrittenFormat, MakeWriter> = {
  table: async (stream, look) => (await import('./table.js')).table(stream, look),
  jsonl: async (stream) => (await import('./json-lines.js')).jsonLines(stream),
  csv: async (stream) => (await import('./csv.js')).csv(stream),
  parquet: async (stream) => (await import('./parquet.js')).parquet(stream),
  coco: async (stream) => (await import('./coco.js')).coco(stream),
};
