/** A body that is held whole, of a server that is not believed: never more of it than the limit. */
import type { Readable } from 'node:stream';
import { CraneError } from '../errors.js';
import { CutShort } from './retry.js';

/** What a picture file may have at most, or another that is read whole from an address. */
export const k_mostHeld = 2 ** 30;

export interface WholeBody {
  /** Content-Length, where the server says it */
  announced: number | undefined;
  most?: number;
  /** what is thrown beyond the limit */
  tooLarge: () => CraneError;
}

/**
 * All bytes, in memory that is nobody else's. However it ends, the body is let go.
 * @throws CutShort where less comes than was announced; tooLarge; CraneError E_MEMORY; the body's own errors
 */
export async function wholeBody(
  body: Readable,
  { announced, most = k_mostHeld, tooLarge }: WholeBody,
): Promise<Uint8Array<ArrayBuffer>> {
  // Destroyed before its end, it may still complain: that is nobody's error then.
  body.on('error', () => {});
  try {
    if (announced !== undefined && announced > most) throw tooLarge();
    return announced === undefined
      ? await collected(body, most, tooLarge)
      : await filled(body, allocate(announced));
  } finally {
    body.destroy();
  }
}

async function filled(
  body: AsyncIterable<Uint8Array>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  let got = 0;
  for await (const chunk of body) {
    if (got + chunk.length > bytes.length) throw new Error('the server sent more than it announced');
    bytes.set(chunk, got);
    got += chunk.length;
  }
  if (got < bytes.length) throw new CutShort('the connection ended early');
  return bytes;
}

async function collected(
  body: AsyncIterable<Uint8Array>,
  most: number,
  tooLarge: () => CraneError,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge();
    chunks.push(chunk);
  }
  const whole = allocate(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new CraneError('E_MEMORY', `no memory for the ${bytes} bytes that the server announced`, { cause });
  }
}
