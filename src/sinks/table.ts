/** A table, for people. */
import type { Writable } from 'node:stream';
import Table from 'cli-table3';
import { isFailed } from '../engine/result.js';
import { painter } from '../terminal/paint.js';
import { visible } from '../terminal/visible.js';
import { type Look, type ResultWriter, writeText } from './result-writer.js';

/** Rows appear as results come, so the widths are fixed beforehand from the terminal's. */
export function table(stream: Writable, { columns, colour }: Look): ResultWriter {
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
