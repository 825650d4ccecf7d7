/**
 * results.json: a TestRun as text and back. Curves and histograms are typed arrays and their ends may be infinite, which
 * JSON does not know: they are written as plain lists, infinities as text.
 */
import type { TestRun } from './test-run.js';

export function encodeFigures(value: object): string {
  const text = JSON.stringify(value, plain, 1);
  // Lists of numbers on one line: curves would fill thousands of lines. No string holds a line break here.
  return `${text.replace(/\[\n(?:\s*(?:-?[\d.e+-]+|"-?Infinity"),?\n)+\s*\]/g, (list) => list.replace(/\s+/g, ''))}\n`;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Float64Array) return Array.from(value, plainNumber);
  return typeof value === 'number' ? plainNumber(value) : value;
}

/** @throws SyntaxError */
export function decodeFigures(text: string): unknown {
  return JSON.parse(text, revive);
}

export function encodeRun(run: TestRun): string {
  return encodeFigures(run);
}

/** @throws Error when it is none */
export function decodeRun(text: string): TestRun {
  const run = decodeFigures(text) as TestRun;
  if (run?.format !== 1 || !Array.isArray(run.dataSets)) throw new Error('expected format 1 with dataSets');
  return run;
}

function plainNumber(value: number): number | string {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) throw new TypeError('a figure is NaN');
  return String(value);
}

const k_arrays = {
  histogram: ['normal', 'anomalous'],
  roc: ['x', 'y', 'threshold'],
  precisionRecall: ['x', 'y', 'threshold'],
  pro: ['x', 'y', 'threshold'],
} as const;

const k_perhapsInfinite = ['threshold', 'lowest', 'highest'];

function revive(key: string, value: unknown): unknown {
  if (k_perhapsInfinite.includes(key) && typeof value === 'string') return Number(value);
  if (!Object.hasOwn(k_arrays, key) || typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  for (const name of k_arrays[key as keyof typeof k_arrays]) {
    const list = fields[name];
    if (Array.isArray(list)) fields[name] = Float64Array.from(list, Number);
  }
  return value;
}
