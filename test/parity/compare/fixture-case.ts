/** Compares every key of one fixture file with a trace. A key is compared, or listed with a reason, or a fault. */
import type { TraceResult } from '#crane/addon/native.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import type { CaseReport } from '../report/case-report.js';
import { compareBits, compareNumbers, failed, type Numbers, sameShape } from './compare.js';
import { fromTrace } from './derive.js';
import { type Context, toleranceOf } from './tolerances.js';

export interface Options {
  context: Context;
  /** keys that are not outputs of the engine, with the reason */
  skip?: (key: string) => string | undefined;
}

export function compareFixture(
  fixture: SafetensorsFile,
  trace: TraceResult,
  report: CaseReport,
  { context, skip }: Options,
): void {
  for (const key of fixture.names()) {
    const reason = skip?.(key);
    if (reason !== undefined) {
      report.notCompared(key, reason);
      continue;
    }
    const tolerance = toleranceOf(key, context);
    if (!tolerance) {
      report.fault(`unknown key "${key}": no tolerance is known for it`);
      continue;
    }
    const expected = fixture.read(key);
    const got = fromTrace(key, expected.shape, trace);
    if (!got) {
      report.compared(key, tolerance.stage, failed(expected.data.length, 'the engine traced no such stage'));
      continue;
    }
    const one = oneOfEqual(key, expected, got);
    if (typeof one === 'string') {
      report.compared(key, tolerance.stage, failed(expected.data.length, one));
      continue;
    }
    const cut = cutToTraced(expected, one, key);
    report.compared(
      key,
      tolerance.stage,
      compareNumbers(cut.expected, one, tolerance, flippedRows(key, fixture, trace)),
    );
    if (cut.note)
      report.notCompared(`${key} ${cut.note}`, 'rows after the end of the text never reach it (causal mask)');
  }
}

/**
 * Two stages hold the same values several times and fixtures keep them once: the E-Attn maps of the listed layers,
 * [1, B, n, d] against [layers, B, n, d], and the unguided text features, [1, 2, d] against [B, 2, d]. All must then be
 * equal bit for bit.
 */
function oneOfEqual(key: string, expected: Numbers, got: Numbers): Numbers | string {
  const copies = got.shape[0] ?? 0;
  const isKeptOnce = expected.shape.length === 4 || key === 'text_features';
  if (!isKeptOnce || expected.shape[0] !== 1 || copies < 2) return got;
  if (!sameShape(expected.shape.slice(1), got.shape.slice(1))) return got;
  const count = got.data.length / copies;
  const parts = Array.from(
    { length: copies },
    (_, copy) => Array.prototype.slice.call(got.data, copy * count, (copy + 1) * count) as number[],
  );
  if (parts.some((part) => !compareBits(parts[0]!, part).ok)) {
    return `${copies} values where the fixture has one, and they differ`;
  }
  return { shape: expected.shape, data: parts[0]! };
}

/** Text stages: the engine may leave out token rows behind the last end of text; then the rows it has are compared. */
function cutToTraced(expected: Numbers, got: Numbers, key: string): { expected: Numbers; note?: string } {
  const rows = expected.shape.at(-2) ?? 0;
  const traced = got.shape.at(-2) ?? 0;
  const isText = /^\w+\.(block\d+_first\d+|prompts)/.test(key);
  if (!isText || traced >= rows || traced === 0 || expected.shape.length !== got.shape.length)
    return { expected };
  const width = expected.shape.at(-1)!;
  const blocks = expected.data.length / (rows * width);
  const data: number[] = [];
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < traced * width; i++) data.push(expected.data[block * rows * width + i]!);
  }
  return {
    expected: { shape: [...expected.shape.slice(0, -2), traced, width], data },
    note: `rows ${traced}..${rows - 1}`,
  };
}

/**
 * Full size: patches of the kept sample (patch_norm_N, first map D-Attn) whose attention row holds another number of kept
 * entries than in the reference. Only they may leave the strict tolerance.
 */
function flippedRows(
  key: string,
  fixture: SafetensorsFile,
  trace: TraceResult,
): ((index: number) => boolean) | undefined {
  const sample = /^patch_norm_(\d+)$/.exec(key);
  if (!sample || !fixture.has('kept_per_row')) return undefined;
  const expected = fixture.read('kept_per_row').data;
  const got = fromTrace('kept_per_row', [expected.length], trace);
  if (!got) return undefined;
  const width = fixture.shape(key).at(-1)!;
  const stride = Math.ceil(expected.length / Number(sample[1]));
  return (index) => {
    const row = Math.floor(index / width) * stride;
    return expected[row] !== got.data[row];
  };
}
