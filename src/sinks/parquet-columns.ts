/**
 * The columns of results as a Parquet table (docs/scaling.md "Parquet"): their order, types and the value of each row. The
 * version goes up when a column changes its meaning or leaves; a new one at the end leaves it as it is.
 */
import type { SchemaElement } from 'hyparquet';
import { isFailed } from '../engine/result.js';
import type { ResultLine, ScoredLine } from './result-line.js';

export const k_tableVersion = 1;

export interface ParquetColumn {
  name: string;
  /** itself first, then what it holds, as Parquet lists a tree */
  schema: readonly SchemaElement[];
  of(line: ResultLine): unknown;
}

const double = { type: 'DOUBLE' } as const;
const int32 = { type: 'INT32' } as const;
const int64 = { type: 'INT64' } as const;
const string = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
const optional = { repetition_type: 'OPTIONAL' } as const;
const required = { repetition_type: 'REQUIRED' } as const;

type Leaf = typeof double | typeof int32 | typeof int64 | typeof string | { type: 'BOOLEAN' };

/** Of every line, failed or not. */
function always(name: string, leaf: Leaf, of: ParquetColumn['of']): ParquetColumn {
  return { name, schema: [{ name, ...leaf, ...required }], of };
}

/** Of a scored line; null in the others. */
function scored(name: string, leaf: Leaf, value: (line: ScoredLine) => unknown): ParquetColumn {
  return { name, schema: [{ name, ...leaf, ...optional }], of: (line) => orNull(line, value) };
}

/** A list of records, of a scored line. */
function records(
  name: string,
  fields: Readonly<Record<string, Leaf>>,
  value: (line: ScoredLine) => readonly object[] | null | undefined,
): ParquetColumn {
  const leaves = Object.entries(fields).map(([field, leaf]) => ({ name: field, ...leaf, ...required }));
  return {
    name,
    schema: [
      { name, ...optional, converted_type: 'LIST', logical_type: { type: 'LIST' }, num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', ...required, num_children: leaves.length },
      ...leaves,
    ],
    of: (line) => orNull(line, value),
  };
}

function orNull(line: ResultLine, value: (line: ScoredLine) => unknown): unknown {
  return isFailed(line) ? null : (value(line) ?? null);
}

function failed(
  name: string,
  of: (line: Extract<ResultLine, { error: unknown }>) => string | undefined,
): ParquetColumn {
  return {
    name,
    schema: [{ name, ...string, ...optional }],
    of: (line) => (isFailed(line) ? (of(line) ?? null) : null),
  };
}

const k_sides = ['x', 'y', 'width', 'height'] as const;
const asInt64 = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));
const k_times = ['decode', 'preprocess', 'forward', 'postprocess'] as const;

export const columns: readonly ParquetColumn[] = [
  always('input', string, (line) => line.input),
  always('index', int64, (line) => BigInt(line.index)),
  scored('score', double, (line) => line.score),
  scored('anomalous', { type: 'BOOLEAN' }, (line) => line.anomalous),
  scored('threshold', double, (line) => line.threshold),
  scored('width', int32, (line) => line.width),
  scored('height', int32, (line) => line.height),
  scored('bit_depth', int32, (line) => line.bitDepth),
  scored('value_low', double, (line) => line.valueRange?.low),
  scored('value_high', double, (line) => line.valueRange?.high),
  records('warnings', { kind: string, message: string }, (line) => line.warnings),
  records(
    'regions',
    { x: int32, y: int32, width: int32, height: int32, area: int32, peak: double, mean: double },
    (line) => line.regions,
  ),
  scored('map', string, (line) => line.map),
  scored('heatmap', string, (line) => line.heatmap),
  scored('model', string, (line) => line.model),
  ...k_times.map((part) => scored(`ms_${part}`, double, (line) => line.ms?.[part])),
  failed('error_code', (line) => line.error.code),
  failed('error_message', (line) => line.error.message),
  failed('error_hint', (line) => line.error.hint),
  ...k_sides.map((side) => scored(`roi_${side}`, int32, (line) => line.roi?.[side])),
  scored('ignored_pixels', int64, (line) => asInt64(line.ignoredPixels)),
  scored('background_patches', int64, (line) => asInt64(line.backgroundPatches)),
];

export const schema: readonly SchemaElement[] = [
  { name: 'results', num_children: columns.length },
  ...columns.flatMap((column) => column.schema),
];
