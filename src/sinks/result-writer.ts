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

export function writeText(stream: Writable, text: string): Promise<void> {
  return put(stream, text);
}

export function writeBytes(stream: Writable, bytes: Uint8Array): Promise<void> {
  return put(stream, bytes);
}

async function put(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (!stream.write(data) && !stream.destroyed) await once(stream, 'drain');
}
