/** Where results go as they come, and how text is put on a stream. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ResultLine } from './result-line.js';

export interface ResultWriter {
  write(line: ResultLine): Promise<void>;
  end(): Promise<void>;
  /** Lets go what it holds beside the stream; in the place of end(), where not all rows come. */
  abandon?(): Promise<void>;
}

/** Ends the writer after all that `write` writes, or lets it go where that fails. */
export async function writeWholly<T>(writer: ResultWriter, write: () => Promise<T>): Promise<T> {
  try {
    const written = await write();
    await writer.end();
    return written;
  } catch (thrown) {
    await writer.abandon?.();
    throw thrown;
  }
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

/** Of a reader who has gone nothing is waited for; whether the work goes on without him is the command's matter. */
async function put(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (stream.write(data) || stream.destroyed) return;
  await once(stream, 'drain').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
