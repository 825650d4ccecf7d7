/** The bytes of a request's body, refused as soon as they are too many. */
import type { IncomingMessage } from 'node:http';
import { CraneError } from '../../errors.js';
import type { Place } from '../admission.js';
import { Gathered } from './gathered.js';

export interface BodyLimits {
  maxBody: number;
  /** of JSON, whose parsing holds up everybody */
  maxJsonBody: number;
  place: Place;
}

export function tooLarge(maxBody: number, kind?: 'JSON'): CraneError {
  if (kind === undefined)
    return new CraneError('E_HTTP_TOO_LARGE', `the body is larger than ${maxBody} bytes`);
  return new CraneError('E_HTTP_TOO_LARGE', `the JSON is longer than ${maxBody} bytes`, {
    hint: 'send pictures as bytes: raw, as a form, or as binary data of the Open Inference Protocol',
  });
}

/** Looks at Content-Length before a byte is read. @throws CraneError E_HTTP_TOO_LARGE, E_HTTP_REQUEST */
export function checkLength(
  request: IncomingMessage,
  { maxBody }: BodyLimits,
  kind?: 'JSON',
): number | undefined {
  const { 'content-length': length, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding !== 'identity')
    throw new CraneError('E_HTTP_TYPE', 'compressed bodies are not read: pictures are compressed already');
  if (length === undefined) return undefined;
  if (Number(length) > maxBody) throw tooLarge(maxBody, kind);
  return Number(length);
}

/** Parts of the body as they come, counted. @throws CraneError E_HTTP_TOO_LARGE, E_QUEUE_FULL, E_CANCELLED */
export async function* countedBody(
  request: IncomingMessage,
  limits: BodyLimits,
  kind?: 'JSON',
): AsyncGenerator<Buffer> {
  checkLength(request, limits, kind);
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.maxBody) throw tooLarge(limits.maxBody, kind);
      limits.place.holdBytes(chunk.length);
      yield chunk;
    }
  } catch (thrown) {
    if (thrown instanceof CraneError) throw thrown;
    throw new CraneError('E_CANCELLED', 'the request ended before its body did', { cause: thrown });
  }
}

/** A body that is JSON as a whole. @throws CraneError E_HTTP_TOO_LARGE, E_HTTP_REQUEST, E_QUEUE_FULL, E_CANCELLED */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  return readBody(request, { ...limits, maxBody: Math.min(limits.maxBody, limits.maxJsonBody) }, 'JSON');
}

/** @throws CraneError E_HTTP_TOO_LARGE, E_HTTP_REQUEST, E_QUEUE_FULL, E_CANCELLED */
export async function readBody(request: IncomingMessage, limits: BodyLimits, kind?: 'JSON'): Promise<Buffer> {
  const length = checkLength(request, limits, kind);
  if (length === undefined) {
    const gathered = new Gathered();
    for await (const chunk of countedBody(request, limits, kind)) gathered.add(chunk);
    return gathered.whole();
  }
  // Not copied together at the end: that would hold up the event loop. The memory is real only once it is filled.
  const body = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for await (const chunk of countedBody(request, limits, kind)) at += chunk.copy(body, at);
  if (at !== length) throw new CraneError('E_HTTP_REQUEST', 'the body is shorter than Content-Length says');
  return body;
}
