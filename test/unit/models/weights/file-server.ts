/** A server on 127.0.0.1 that gives one file, and misbehaves as it is told to, request by request. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { breakOff } from '../../break-off.js';

export type Misbehaviour =
  /** sends the first bytes and breaks the connection */
  | { dropAfter: number }
  /** sends the first bytes of an answer that claims to be complete */
  | { truncateTo: number }
  /** another byte in the middle */
  | 'corrupt'
  /** the whole file, whatever was asked for */
  | 'ignore ranges'
  /** a part of what it has now, whatever version was asked for */
  | 'ignore If-Range'
  /** a part that was not asked for */
  | 'wrong range'
  | 'web page'
  /** no Content-Length */
  | 'chunked'
  | { status: number };

export interface FileServer {
  url: string;
  /** in order: the Range and If-Range headers that came */
  requests: { url: string; range: string | undefined; ifRange: string | undefined }[];
  /** one for each coming request; when they are used up it behaves */
  misbehave(...next: Misbehaviour[]): void;
  /** later requests get this content */
  replace(content: Buffer): void;
  /** no ETag and no Last-Modified from now on */
  dropValidators(): void;
  close(): Promise<void>;
}

/** @param readerFolder where its reader keeps what has come */
export async function startFileServer(first: Buffer, readerFolder: string): Promise<FileServer> {
  let content = first;
  let hasValidators = true;
  const queue: Misbehaviour[] = [];
  const requests: FileServer['requests'] = [];
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange } = request.headers;
    requests.push({ url: request.url ?? '', range, ifRange: ifRange as string | undefined });
    answer(request, response, content, hasValidators, queue.shift(), readerFolder);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`,
    requests,
    misbehave: (...next) => queue.push(...next),
    replace: (next) => {
      content = next;
    },
    dropValidators: () => {
      hasValidators = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  hasValidators: boolean,
  how: Misbehaviour | undefined,
  readerFolder: string,
): void {
  if (typeof how === 'object' && 'status' in how) {
    response.writeHead(how.status).end('no');
    return;
  }
  if (how === 'web page') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!DOCTYPE html>log in');
    return;
  }
  const tag = `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
  const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const version = how === 'ignore If-Range' ? undefined : request.headers['if-range'];
  const isCurrent = version === undefined || version === tag;
  const isPart = asked !== null && isCurrent && how !== 'ignore ranges';
  const start = isPart ? Number(asked[1]) : 0;
  const end = isPart ? Math.min(Number(asked[2]), content.length - 1) : content.length - 1;
  if (start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  // as long as what was asked for, but from the beginning
  const sent = how === 'wrong range' ? 0 : start;
  let body = Buffer.from(content.subarray(sent, sent + end - start + 1));
  const headers: Record<string, string> = {
    ...(hasValidators ? { etag: tag } : {}),
    ...(how === 'chunked' ? {} : { 'content-length': String(body.length) }),
    ...(isPart ? { 'content-range': `bytes ${sent}-${sent + end - start}/${content.length}` } : {}),
  };
  if (how === 'corrupt') body[body.length >> 1]! ^= 1;
  if (typeof how === 'object' && 'truncateTo' in how) {
    body = body.subarray(0, how.truncateTo);
    headers['content-length'] = String(body.length);
  }
  response.writeHead(isPart ? 206 : 200, headers);
  if (typeof how === 'object' && 'dropAfter' in how) {
    void breakOff(response, body.subarray(0, how.dropAfter), readerFolder);
    return;
  }
  response.end(body);
}
