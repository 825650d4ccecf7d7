/**
 * The HTTP client of the fetches: redirects, proxies (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), own certificate
 * authorities, credentials of the address. Retries are the caller's business (retry.ts).
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { CraneError } from '../errors.js';
import { shownAddress } from '../terminal/shown-address.js';
import type { PipSetting } from './pip-config.js';

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  /** where redirects led; relative links are relative to this */
  url: string;
  body: Readable;
}

export class HttpError extends Error {
  constructor(
    readonly status: number,
    url: string,
  ) {
    super(`${shownAddress(url)} answered ${status}`);
  }
}

export class HttpClient {
  readonly #certificateFiles: PipSetting[];
  #dispatcher: Dispatcher | undefined;

  /** certificateFiles: of authorities that are trusted besides the built-in ones; read by the first `get`. */
  constructor(certificateFiles: PipSetting[] = []) {
    this.#certificateFiles = certificateFiles;
  }

  #connect(): Dispatcher {
    const files = this.#certificateFiles;
    const tls = files.length > 0 ? { ca: authorities(files) } : {};
    return new EnvHttpProxyAgent({
      httpProxy: proxyOf('http_proxy'),
      httpsProxy: proxyOf('https_proxy'),
      connect: { ...tls, timeout: 20_000 },
      requestTls: tls,
      proxyTls: tls,
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
    });
  }

  /**
   * GET; resolves for statuses 200 to 299, else throws HttpError. The body must be read or destroyed. A malformed address, given or
   * of a redirect, is an Error like any other of the network.
   * range: first and last byte, both inclusive.
   * @throws CraneError E_DOWNLOAD where a variable names a proxy that is none, or certificates that cannot be read
   */
  async get(
    address: string,
    options: { range?: [number, number]; accept?: string; ifRange?: string } = {},
  ): Promise<HttpAnswer> {
    let url = httpUrl(address);
    if (!url) throw new Error(`${shownAddress(address)}: not an http address`);
    this.#dispatcher ??= this.#connect();
    const credentialed = url.origin;
    const authorization = url.username ? basic(url) : undefined;
    for (let hops = 0; hops <= 5; hops++) {
      url.username = '';
      url.password = '';
      const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'crane-native' };
      if (options.accept) headers['accept'] = options.accept;
      if (options.range) headers['range'] = `bytes=${options.range[0]}-${options.range[1]}`;
      if (options.ifRange) headers['if-range'] = options.ifRange;
      if (authorization && url.origin === credentialed) headers['authorization'] = authorization;
      const answer = await request(url, { dispatcher: this.#dispatcher, headers });
      const location = answer.headers['location'];
      if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
        await answer.body.dump();
        const next = httpUrl(location, url.href);
        if (!next) throw new Error(`${shownAddress(url.href)} redirects to what is no http address`);
        url = next;
        continue;
      }
      if (answer.statusCode < 200 || answer.statusCode > 299) {
        await answer.body.dump();
        throw new HttpError(answer.statusCode, url.href);
      }
      return { status: answer.statusCode, headers: plain(answer.headers), url: url.href, body: answer.body };
    }
    throw new Error(`${shownAddress(address)} redirects without end`);
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }
}

/**
 * What people, pages and servers give as an address; undefined: it is none, or of another protocol. `new URL` throws a TypeError,
 * which would be taken for a fault of our own.
 */
export function httpUrl(text: string, base?: string): URL | undefined {
  if (!URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** Body as text, with an upper limit: an index page has some hundred kilobytes. */
export async function readText(answer: HttpAnswer, limit = 64 << 20): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Error(`${shownAddress(answer.url)} sends more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function basic(url: URL): string {
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return `Basic ${Buffer.from(user).toString('base64')}`;
}

/** A % that begins no escape means itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The proxy that a variable names, in the order of undici: the small name first. Without a protocol it is http, as curl and pip take
 * it. '' : none. @throws CraneError E_DOWNLOAD
 */
function proxyOf(name: string): string {
  const capital = name.toUpperCase();
  const value = process.env[name] ?? process.env[capital] ?? '';
  if (value === '') return '';
  const address = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(address) && /^(https?|socks5?):$/.test(new URL(address).protocol)) return address;
  const variable = process.env[name] === undefined ? capital : name;
  throw new CraneError('E_DOWNLOAD', `the proxy that ${variable} names is no address`, {
    hint: `export ${variable}=http://HOST:PORT`,
  });
}

function plain(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)] as const])),
  );
}

/** Naming authorities replaces Node's own list, NODE_EXTRA_CA_CERTS included, so they are put together here. */
function authorities(files: PipSetting[]): string[] {
  return [...new Set([...rootCertificates, ...files.flatMap(certificatesOf), ...nodesOwn()])];
}

/** Of a file, or of a folder as OpenSSL has them and requests takes them. @throws CraneError E_DOWNLOAD */
function certificatesOf({ value, from }: PipSetting): string[] {
  try {
    if (!statSync(value).isDirectory()) return [readFileSync(value, 'utf8')];
    const names = readdirSync(value).filter((name) => /\.(pem|crt)$/.test(name));
    const paths = names.map((name) => join(value, name));
    // Of a certificate that was taken away its link may be left.
    return paths.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CraneError(
      'E_DOWNLOAD',
      `the certificates that ${from} names cannot be read: ${(cause as Error).message}`,
      { hint: 'name a file that may be read: export PIP_CERT=<file.pem>', cause },
    );
  }
}

/** Node itself warns of a file that it cannot read, and goes on. */
function nodesOwn(): string[] {
  const extra = process.env['NODE_EXTRA_CA_CERTS'];
  if (!extra) return [];
  try {
    return [readFileSync(extra, 'utf8')];
  } catch {
    return [];
  }
}

/** Ends an answer that is not wanted; the stream's complaint about that is nobody's error. */
export function discard(answer: HttpAnswer): void {
  answer.body.on('error', () => undefined);
  answer.body.destroy();
}

/** Content-Length; undefined: there is none, or none that could be one. */
export function announcedBytes({ headers }: HttpAnswer): number | undefined {
  const length = headers['content-length'];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** If-Range works with strong tags only. */
export function strongTag(answer: HttpAnswer): string | undefined {
  const tag = answer.headers['etag'];
  return tag?.startsWith('"') ? tag : undefined;
}
