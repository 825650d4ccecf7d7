/** One JSON object a line, for programs. */
import type { Writable } from 'node:stream';
import { visibleJson } from '../terminal/visible.js';
import { type ResultWriter, writeText } from './result-writer.js';

export function jsonLines(stream: Writable): ResultWriter {
  return {
    write: (line) => writeText(stream, `${visibleJson(line)}\n`),
    end: async () => {},
  };
}
