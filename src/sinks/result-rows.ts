/** The rows of a finished results file, as they come. */
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { firstFault } from '../files/first-fault.js';
import { jsonOf, linesOf } from '../files/line-file.js';
import type { ResultLine, ScoredLine } from './result-line.js';

const count = z.int().nonnegative();
const pixels = z.int32();
const box = { x: pixels, y: pixels, width: pixels, height: pixels };

const ofPicture = { input: z.string(), index: count };

const failedRow = z.looseObject({
  ...ofPicture,
  error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

const region = z.looseObject({
  ...box,
  area: pixels,
  peak: z.number(),
  mean: z.number(),
  outline: z.array(z.number()).optional(),
});

/** What tables are made from; whatever else a row holds stays as it is. A score that is NaN is null in JSON. */
const scoredRow = z.looseObject({
  ...ofPicture,
  error: z.undefined().optional(),
  score: z.number().nullable(),
  anomalous: z.boolean().nullable(),
  threshold: z.number().nullable(),
  width: pixels,
  height: pixels,
  roi: z.looseObject(box).optional(),
  ignoredPixels: count.optional(),
  backgroundPatches: count.optional(),
  bitDepth: pixels.optional(),
  valueRange: z.looseObject({ low: z.number(), high: z.number() }).optional(),
  warnings: z.array(z.looseObject({ kind: z.string(), message: z.string() })).optional(),
  regions: z.array(region).nullish(),
  map: z.string().optional(),
  heatmap: z.string().optional(),
  labelme: z.string().optional(),
  model: z.string(),
  ms: z.record(z.string(), z.number()).optional(),
} satisfies Record<keyof ScoredLine | 'error', z.ZodType>);

export interface NumberedRow {
  row: ResultLine;
  /** from 1 */
  line: number;
}

/** @throws CraneError E_SHARDS for a line that is none, E_INPUT_*, E_IO_READ */
export async function* resultRows(path: string): AsyncGenerator<NumberedRow> {
  for await (const { text, number } of linesOf(path))
    yield { row: checkedRow(() => jsonOf(text), `${path}: line ${number}`), line: number };
}

/** @param where of the line, for people. @throws CraneError E_SHARDS */
export function parsedRow(text: string, where: string): ResultLine {
  return checkedRow(() => JSON.parse(text), where);
}

function checkedRow(parse: () => unknown, where: string): ResultLine {
  try {
    const value = parse() as ResultLine;
    const isOfFailed = typeof value === 'object' && value !== null && 'error' in value;
    (isOfFailed ? failedRow : scoredRow).parse(value);
    return value;
  } catch (cause) {
    throw new CraneError('E_SHARDS', `${where} is no result: ${firstFault(cause)}`, { cause });
  }
}
