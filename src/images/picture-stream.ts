/** Pictures that come as a stream of bytes: read once, bounded, and let go as soon as nobody waits for them. */
import { setImmediate } from 'node:timers/promises';
import { types } from 'node:util';
import { cancelled, onAbort, withAny } from '../cancellation.js';
import { CraneError } from '../errors.js';
import { allocate } from './allocate.js';

/** A Readable of Node: its chunks are bytes. */
export interface NodeByteStream extends AsyncIterable<Uint8Array> {
  pipe(...to: never[]): unknown;
  destroy(error?: Error): unknown;
}

/** A stream of the web, such as the body of a Response. */
export interface WebByteStream {
  readonly locked: boolean;
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

export type ByteStream = NodeByteStream | WebByteStream;

export interface StreamLimits {
  /** of the picture: a file has at most so many times as many bytes, and its other parts */
  maxPixels: number;
  /** called with bytes before they are kept; resolves when they may be */
  reserve?: ((bytes: number) => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/** Four channels of 16 bits. */
const k_bytesPerPixel = 8;
const k_otherBytes = 16 * 2 ** 20;
/** Bytes that are copied before the loop lets others run. */
const k_step = 2 ** 20;

export function isByteStream(input: object): input is ByteStream {
  return isOfNode(input) || isOfWeb(input);
}

function isOfNode(input: object): input is NodeByteStream {
  const { pipe, destroy } = input as Partial<NodeByteStream>;
  return typeof pipe === 'function' && typeof destroy === 'function' && Symbol.asyncIterator in input;
}

function isOfWeb(input: object): input is WebByteStream {
  return typeof (input as Partial<WebByteStream>).getReader === 'function' && 'locked' in input;
}

/**
 * All of the stream. However it ends, by its own fault, by the limit or by the signal, the stream is let go.
 * @throws CraneError E_USAGE for a stream that was read before or gives no bytes, E_IO_READ, E_IMAGE_TOO_LARGE, E_CANCELLED
 */
export async function bytesOfStream(
  name: string,
  stream: ByteStream,
  { maxPixels, reserve, signal }: StreamLimits,
): Promise<Uint8Array> {
  const { next, letGo } = opened(name, stream);
  const most = k_bytesPerPixel * maxPixels + k_otherBytes;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const untilCancelled = cancellable(signal);
  try {
    for (;;) {
      const chunk = await untilCancelled.race(next());
      if (chunk === undefined) break;
      if (!types.isUint8Array(chunk))
        throw new CraneError(
          'E_USAGE',
          `${name}: Expected a stream of bytes but received a ${typeof chunk}`,
          {
            hint: 'a stream with an encoding, or of objects, is none',
          },
        );
      bytes += chunk.length;
      if (bytes > most) {
        throw new CraneError('E_IMAGE_TOO_LARGE', `${name}: the stream has more than ${most} bytes`, {
          hint: 'no picture within maxPixels is so large; write it to a file if it is to be trusted',
        });
      }
      await reserve?.(chunk.length);
      chunks.push(chunk);
    }
    return await joined(name, chunks, bytes);
  } catch (thrown) {
    letGo();
    if (thrown instanceof CraneError) throw thrown;
    throw new CraneError('E_IO_READ', `${name}: the stream broke off: ${(thrown as Error)?.message}`, {
      cause: thrown,
    });
  } finally {
    untilCancelled.stop();
  }
}

interface Opened {
  /** undefined at the end */
  next(): Promise<Uint8Array | undefined>;
  letGo(): void;
}

function opened(name: string, stream: ByteStream): Opened {
  const readBefore = () =>
    new CraneError('E_USAGE', `${name}: the stream was read already`, {
      hint: 'a stream is read once: keep its bytes where they are needed again',
    });
  if (isOfNode(stream)) {
    const { readableDidRead, destroyed } = stream as { readableDidRead?: boolean; destroyed?: boolean };
    if (readableDidRead || destroyed) throw readBefore();
    const iterator = stream[Symbol.asyncIterator]();
    // What comes after nobody waits any more must not end the process.
    (stream as { on?(event: 'error', ignore: () => void): unknown }).on?.('error', () => {});
    return {
      next: async () => {
        const { done, value } = await iterator.next();
        return done ? undefined : value;
      },
      letGo: () => stream.destroy(),
    };
  }
  if (stream.locked) throw readBefore();
  const reader = stream.getReader();
  let isFirst = true;
  return {
    next: async () => {
      const { done, value } = await reader.read();
      // A stream that was read to its end is not locked any more.
      if (done && isFirst)
        throw new CraneError('E_IMAGE_EMPTY', `${name}: the stream has no bytes, or was read already`);
      isFirst = false;
      return done ? undefined : value;
    },
    letGo: () => void reader.cancel().catch(() => {}),
  };
}

/** Reads with a signal of these. Only a stream may let its reader wait for ever: nothing is spent on the others. */
export function untilGivenUp<T>(
  sources: readonly ({ kind: string } | undefined)[],
  signals: readonly (AbortSignal | undefined)[],
  read: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  return sources.some((source) => source?.kind === 'stream') ? withAny(signals, read) : read(undefined);
}

/** One listener for all chunks. */
function cancellable(signal: AbortSignal | undefined): {
  race<T>(work: Promise<T>): Promise<T>;
  stop(): void;
} {
  if (!signal) return { race: (work) => work, stop: () => {} };
  let stop = () => {};
  const fired = new Promise<never>((_, reject) => {
    const fire = () => reject(signal.reason instanceof CraneError ? signal.reason : cancelled(signal));
    if (signal.aborted) fire();
    else stop = onAbort(signal, fire);
  });
  fired.catch(() => {});
  return {
    race: (work) => {
      work.catch(() => {});
      return Promise.race([fired, work]);
    },
    stop: () => stop(),
  };
}

/** In slices, since a large file copied at once would hold up the event loop. */
async function joined(name: string, chunks: readonly Uint8Array[], bytes: number): Promise<Uint8Array> {
  if (chunks.length === 1) return chunks[0]!;
  const all = allocate(name, bytes);
  let at = 0;
  let sinceRest = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
    sinceRest += chunk.length;
    if (sinceRest < k_step) continue;
    sinceRest = 0;
    await setImmediate();
  }
  return all;
}
