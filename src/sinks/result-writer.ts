/** Where results go as they come, and how text is put on a stream. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ResultLine } from './result-line.js';

export interface ResultWriter {
  write(line: ResultLine): Promise<void>;
  end(): Promise<void>;
}

/** How wide a terminal is and whether it shows colours: for what people read. */
export interface Look {
  columns: number;
  colour: boolean;
}

export async function writeText(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text) && !stream.destroyed) await once(stream, 'drain');
}
