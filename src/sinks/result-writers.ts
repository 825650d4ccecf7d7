/** Results on a stream: a table for people, JSON Lines or CSV for programs. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import Table from 'cli-table3';
import { stringify } from 'csv-stringify';
import { isFailed } from '../engine/result.js';
import { painter } from '../terminal/paint.js';
import { visible } from '../terminal/visible.js';
import type { ResultLine } from './result-line.js';

export interface ResultWriter {
  write(line: ResultLine): Promise<void>;
  end(): Promise<void>;
}

export function jsonLines(stream: Writable): ResultWriter {
  return {
    write: (line) => writeText(stream, `${JSON.stringify(line)}\n`),
    end: async () => {},
  };
}

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
];

/** One row a picture; regions are a JSON list in their cell. */
export function csv(stream: Writable): ResultWriter {
  const rows = stringify({
    header: true,
    columns: k_csvColumns.map((key) => ({ key: key.replace('.', '_'), header: key })),
  });
  const pumped = (async () => {
    for await (const chunk of rows) await writeText(stream, chunk as string);
  })();
  return {
    write: async (line) => {
      if (!rows.write(csvRow(line))) await once(rows, 'drain');
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
    };
  }
  const { regions, anomalous, ms, ...plain } = line;
  return {
    ...plain,
    anomalous: anomalous === null ? '' : String(anomalous),
    regions: regions ? JSON.stringify(regions) : '',
    ...Object.fromEntries(Object.entries(ms ?? {}).map(([name, value]) => [`ms_${name}`, value])),
  };
}

export interface TableLook {
  columns: number;
  colour: boolean;
}

/** Rows appear as results come, so the widths are fixed beforehand from the terminal's. */
export function table(stream: Writable, { columns, colour }: TableLook): ResultWriter {
  const fixed = [9, 11, 9, 13];
  const nameWidth = Math.max(20, columns - fixed.reduce((sum, width) => sum + width, 0));
  const row = (cells: string[]) => {
    const line = new Table({
      chars: noBorders,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      colWidths: [nameWidth, ...fixed],
      colAligns: ['left', 'right', 'left', 'right', 'right'],
    });
    line.push(cells);
    return `${line.toString().trimEnd()}\n`;
  };
  const paint = painter(colour);
  let hasHead = false;
  return {
    write: async (line) => {
      const head = hasHead ? '' : paint.dim(row(['input', 'score', 'verdict', 'regions', 'pixels']));
      hasHead = true;
      const name = fitLeft(visible(line.input), nameWidth - 2);
      if (isFailed(line))
        return writeText(
          stream,
          `${head}${paint.yellow(`${name}  ${line.error.code}: ${visible(line.error.message)}`)}\n`,
        );
      const text = row([
        name,
        line.score.toFixed(4),
        verdict(line.anomalous),
        line.regions ? String(line.regions.length) : '',
        `${line.width}x${line.height}`,
      ]);
      await writeText(stream, head + (line.anomalous ? paint.red(text) : text));
    },
    end: async () => {},
  };
}

const noBorders = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((place) => [place, '']),
);

function verdict(anomalous: boolean | null): string {
  return anomalous === null ? '-' : anomalous ? 'anomalous' : 'normal';
}

/** The end of a path tells more than its beginning. */
function fitLeft(text: string, width: number): string {
  const signs = [...text];
  return signs.length <= width ? text : `…${signs.slice(signs.length - width + 1).join('')}`;
}

export async function writeText(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text) && !stream.destroyed) await once(stream, 'drain');
}
