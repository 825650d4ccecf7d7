/** CSV, for spreadsheets. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { stringify } from 'csv-stringify';
import { isFailed } from '../engine/result.js';
import type { ResultLine } from './result-line.js';
import { type ResultWriter, writeText } from './result-writer.js';

const k_csvColumns = [
  'input',
  'index',
  'score',
  'anomalous',
  'threshold',
  'width',
  'height',
  'regions',
  'map',
  'heatmap',
  'model',
  'ms.decode',
  'ms.preprocess',
  'ms.forward',
  'ms.postprocess',
  'error.code',
  'error.message',
  'roi.x',
  'roi.y',
  'roi.width',
  'roi.height',
  'ignoredPixels',
  'backgroundPatches',
  'bitDepth',
  'valueRange.low',
  'valueRange.high',
  'warnings',
  'error.hint',
];

/** One row a picture; regions and warnings are a JSON list in their cell. Columns are the same for all runs: rows of several may be joined. */
export function csv(stream: Writable): ResultWriter {
  const rows = stringify({
    header: true,
    columns: k_csvColumns.map((key) => ({ key: key.replace('.', '_'), header: key })),
  });
  const pumped = (async () => {
    for await (const chunk of rows) await writeText(stream, chunk as string);
  })();
  // It fails where nobody may wait for it: it is told at the next row that has to wait, or at the end.
  pumped.catch(() => {});
  return {
    write: async (line) => {
      if (!rows.write(csvRow(line))) await Promise.race([once(rows, 'drain'), pumped]);
    },
    end: async () => {
      rows.end();
      await pumped;
    },
  };
}

function csvRow(line: ResultLine): Record<string, unknown> {
  if (isFailed(line)) {
    return {
      input: line.input,
      index: line.index,
      error_code: line.error.code,
      error_message: line.error.message,
      error_hint: line.error.hint,
    };
  }
  const { regions, anomalous, ms, roi, valueRange, warnings, ...plain } = line;
  return {
    ...plain,
    anomalous: anomalous === null ? '' : String(anomalous),
    regions: regions ? JSON.stringify(regions) : '',
    warnings: warnings ? JSON.stringify(warnings) : '',
    ...cells('ms', ms),
    ...cells('roi', roi),
    ...cells('valueRange', valueRange),
  };
}

function cells(of: string, values: object = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${of}_${name}`, value]));
}
