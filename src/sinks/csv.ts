/**
 * CSV, for spreadsheets and programs. Texts stay as they are, so that a name is that of its file: a spreadsheet takes one that
 * begins with = + - or @ for a formula (docs/threat-model.md).
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { stringify } from 'csv-stringify';
import { isFailed } from '../engine/result.js';
import { visible } from '../terminal/visible.js';
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
export function csv(stream: Writable & { isTTY?: boolean }): ResultWriter {
  const shown = stream.isTTY ? visibleCells : (cells: Cells) => cells;
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
      if (!rows.write(shown(csvRow(line)))) await Promise.race([once(rows, 'drain'), pumped]);
    },
    end: async () => {
      rows.end();
      await pumped;
    },
  };
}

type Cells = Record<string, unknown>;

/** On a terminal nothing of a file's name may steer it. */
function visibleCells(cells: Cells): Cells {
  return Object.fromEntries(
    Object.entries(cells).map(([name, value]) => [name, typeof value === 'string' ? visible(value) : value]),
  );
}

function csvRow(line: ResultLine): Cells {
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

function cells(of: string, values: object = {}): Cells {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${of}_${name}`, value]));
}
