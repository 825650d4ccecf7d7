/** A Python package index on 127.0.0.1 that can misbehave in chosen ways. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseWheelName } from '../../../src/libtorch/wheel-name.js';
import { breakOff } from '../break-off.js';
import type { FakeWheel } from './fake-torch.js';

export interface Misbehaviour {
  /** answers 200 with the whole file, whatever range was asked for */
  noRanges?: boolean;
  /** HTML pages only (PEP 503) */
  htmlOnly?: boolean;
  /** such pages name no sha256 */
  noSums?: boolean;
  /** closes the connection after this many bytes of a file, this many times */
  dropAfter?: { bytes: number; times: number };
  /** sends this many bytes of a file and then nothing more, once */
  stallAfter?: { bytes: number };
  /** these requests for files are answered with that status first */
  failFirst?: { status: number; times: number };
  /** announces a sha256 or size of another file */
  wrongSum?: boolean;
  /** flips a byte at this place of every file; `flipTimes`: in the first so many answers that hold it */
  flipByteAt?: number;
  flipTimes?: number;
  /** demands these credentials, 'user:password' */
  credentials?: string;
  /** stand on the page of each project after its own */
  moreFiles?: (own: { url: string }) => unknown[];
  /** files are served by redirects to another path */
  redirect?: boolean;
}

export class FakeIndex {
  readonly requests: { path: string; range: string | undefined; authorization: string | undefined }[] = [];
  bytesSent = 0;
  /** a connection was left hanging */
  stalled = false;
  /** where its reader keeps what has come; needed by dropAfter */
  readerFolder = '';
  #server: http.Server;
  #drops = 0;
  #failures = 0;
  #flips = 0;

  private constructor(
    readonly wheels: FakeWheel[],
    public misbehaviour: Misbehaviour,
  ) {
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  static async start(wheels: FakeWheel[], misbehaviour: Misbehaviour = {}): Promise<FakeIndex> {
    const index = new FakeIndex(wheels, misbehaviour);
    await new Promise<void>((resolve) => index.#server.listen(0, '127.0.0.1', resolve));
    return index;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/simple`;
  }

  /** Range requests for wheels, as [first, last] */
  get ranges(): [number, number][] {
    return this.requests.flatMap(({ range }) => {
      const match = /bytes=(\d+)-(\d+)/.exec(range ?? '');
      return match ? [[Number(match[1]), Number(match[2])] as [number, number]] : [];
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = new URL(request.url!, this.origin).pathname;
    const { authorization, range } = request.headers;
    this.requests.push({ path, range, authorization });
    const { credentials } = this.misbehaviour;
    if (credentials && authorization !== `Basic ${Buffer.from(credentials).toString('base64')}`) {
      response.writeHead(401).end();
    } else if (path.startsWith('/simple/')) this.#page(path.split('/')[2]!, response);
    else if (path.startsWith('/files/') && this.misbehaviour.redirect) {
      response.writeHead(302, { location: `/moved/${path.split('/').at(-1)}` }).end('moved');
    } else this.#file(decodeURIComponent(path.split('/').at(-1)!), range, response);
  }

  #page(project: string, response: http.ServerResponse): void {
    const wheels = this.wheels.filter((w) => parseWheelName(w.filename)?.project === project);
    if (wheels.length === 0) {
      response.writeHead(404).end();
      return;
    }
    const { htmlOnly, noSums, wrongSum } = this.misbehaviour;
    const sum = (w: FakeWheel) =>
      createHash('sha256')
        .update(wrongSum ? 'other' : w.bytes)
        .digest('hex');
    if (htmlOnly) {
      const links = wheels.map(
        (w) =>
          `<a href="../../files/${encodeURIComponent(w.filename)}${noSums ? '' : `#sha256=${sum(w)}`}" data-requires-python="&gt;=3.10">${w.filename}</a>`,
      );
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        .end(
          `<!DOCTYPE html><body><a href="torch-%zz.whl"><a href="http://[">${links.join('<br>\n')}</body>`,
        );
      return;
    }
    const files = wheels.map((w) => ({
      filename: w.filename,
      url: `../../files/${encodeURIComponent(w.filename)}`,
      hashes: { sha256: sum(w) },
      size: w.bytes.length,
      yanked: false,
    }));
    response
      .writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' })
      .end(JSON.stringify({ files: [...files, ...(this.misbehaviour.moreFiles?.(files[0]!) ?? [])] }));
  }

  #file(name: string, range: string | undefined, response: http.ServerResponse): void {
    const wheel = this.wheels.find((w) => w.filename === name);
    const { failFirst, noRanges, dropAfter, stallAfter } = this.misbehaviour;
    if (failFirst && this.#failures < failFirst.times) {
      this.#failures++;
      response.writeHead(failFirst.status).end();
      return;
    }
    if (!wheel) {
      response.writeHead(404).end();
      return;
    }
    let bytes = Buffer.from(wheel.bytes);
    const match = noRanges ? null : /bytes=(\d+)-(\d+)/.exec(range ?? '');
    const headers: http.OutgoingHttpHeaders = { etag: '"v1"' };
    if (match) {
      headers['content-range'] = `bytes ${match[1]}-${match[2]}/${bytes.length}`;
      bytes = bytes.subarray(Number(match[1]), Number(match[2]) + 1);
    }
    this.#flip(bytes, match ? Number(match[1]) : 0);
    response.writeHead(match ? 206 : 200, { ...headers, 'content-length': bytes.length });
    if (stallAfter && bytes.length > stallAfter.bytes && !this.stalled) {
      this.stalled = true;
      response.write(bytes.subarray(0, stallAfter.bytes));
      return;
    }
    if (dropAfter && bytes.length > dropAfter.bytes && this.#drops < dropAfter.times) {
      this.#drops++;
      this.bytesSent += dropAfter.bytes;
      void breakOff(response, bytes.subarray(0, dropAfter.bytes), this.readerFolder);
      return;
    }
    this.bytesSent += bytes.length;
    response.end(bytes);
  }

  #flip(bytes: Buffer, start: number): void {
    const { flipByteAt, flipTimes = Number.POSITIVE_INFINITY } = this.misbehaviour;
    if (flipByteAt === undefined || this.#flips >= flipTimes) return;
    const at = flipByteAt - start;
    if (at < 0 || at >= bytes.length) return;
    this.#flips++;
    bytes[at] = bytes[at]! ^ 0xff;
  }
}
