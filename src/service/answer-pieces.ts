/**
 * Answers that a client does not take: what waits to be sent holds the request's place, so that clients that read nothing would
 * fill the service for ever. Answers go out in pieces, and a connection that has taken none for some time is closed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/** Less than the buffers of a connection: what a slow line takes in a minute. */
const k_piece = 65_536;
/** Within the time that a client has; a single look may come late, after the process stood still. */
const k_looks = 4;

/** A large text, bytes, or a stream, in pieces whose taking can be seen; what is small stays. */
export function inPieces(payload: unknown): { payload: unknown; length?: number } {
  if (payload instanceof Readable) return { payload: Readable.from(cut(payload), { objectMode: false }) };
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return { payload };
  if (payload.length <= k_piece) return { payload };
  const bytes = bytesOf(payload);
  return { payload: Readable.from(cut([bytes]), { objectMode: false }), length: bytes.length };
}

async function* cut(chunks: Iterable<Buffer | string> | AsyncIterable<Buffer | string>) {
  for await (const chunk of chunks) {
    const bytes = bytesOf(chunk);
    for (let at = 0; at < bytes.length; at += k_piece) yield bytes.subarray(at, at + k_piece);
  }
}

function bytesOf(chunk: Buffer | string): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** Answers of a connection that are not over. */
const openAnswers = new WeakMap<Socket, Set<ServerResponse>>();
/** Those whose 'close' has been: it comes never again. */
const over = new WeakSet<ServerResponse>();

/** Node tells the end of a connection to the answer that has it; those that wait behind it have their 'close' from here. */
export function watchConnection({ socket }: IncomingMessage, response: ServerResponse): void {
  let open = openAnswers.get(socket);
  if (open === undefined) {
    const answers = new Set<ServerResponse>();
    open = answers;
    openAnswers.set(socket, answers);
    // After Node's own.
    const tell = () => {
      for (const answer of [...answers]) answer.emit('close');
    };
    socket.once('close', () => setImmediate(tell));
  }
  const answers = open.add(response);
  response.once('close', () => {
    answers.delete(response);
    over.add(response);
  });
}

/** Closes the connection once the client has taken no piece for so long, while there was one. */
export function endUnlessTaken(response: ServerResponse, ms: number, onEnd: () => void): void {
  if (over.has(response)) return;
  let taken = -1;
  let looks = 0;
  const timer = setInterval(
    () => {
      const { writableLength, socket } = response;
      // Bytes that were written and wait are not taken: a client that asks on without reading makes Node write more. An answer
      // behind another one of its connection has no socket yet: that one is looked at.
      const now = socket === null ? -1 : socket.bytesWritten - socket.writableLength;
      const isWaiting = now >= 0 && writableLength > 0 && now === taken;
      taken = now;
      looks = isWaiting ? looks + 1 : 0;
      if (looks < k_looks) return;
      clearInterval(timer);
      onEnd();
      response.destroy();
    },
    Math.ceil(ms / k_looks),
  );
  timer.unref();
  response.once('close', () => clearInterval(timer));
}
