/** Who may ask: tokens, and requests that another web site makes a browser send. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { CraneError } from '../errors.js';
import { type AccessTokens, bearerOf, type Right } from './tokens.js';

/** Of requests whose token was looked at. */
const known = new WeakMap<IncomingMessage, ReadonlySet<Right>>();

/** An address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/**
 * @param isLocalOnly the operator listens on an address of this machine alone, so that only its names are right
 * @throws CraneError E_HTTP_FOREIGN, E_HTTP_REQUEST
 */
export function checkOrigin(request: IncomingMessage, isLocalOnly: boolean): void {
  const { host, origin, 'sec-fetch-site': site } = request.headers;
  if (host === undefined && request.httpVersion !== '1.0')
    throw new CraneError('E_HTTP_REQUEST', 'the request has no Host');
  // A name of another site that leads to this machine (DNS rebinding) would make its pages ours.
  if (isLocalOnly && host !== undefined && !isLoopback(host.replace(/:\d+$/, '')))
    throw new CraneError('E_HTTP_FOREIGN', 'the Host of the request is none of this machine');
  if (origin !== undefined && origin !== 'null' && hostOf(origin) === host) return;
  if (origin !== undefined || site === 'cross-site')
    throw new CraneError('E_HTTP_FOREIGN', 'requests from pages of other sites are not taken');
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

/**
 * Where there are no tokens, everybody may ask, and those of this machine alone may add and delete.
 * @returns the caller's rights. @throws CraneError E_HTTP_TOKEN
 */
export function checkToken(
  request: IncomingMessage,
  { tokens, host }: { tokens: AccessTokens | undefined; host: string },
): ReadonlySet<Right> {
  const token = bearerOf(request.headers.authorization);
  const rights = tokens
    ? token === undefined
      ? undefined
      : tokens.rightsOf(token)
    : new Set<Right>(isLoopback(host) ? ['write'] : []);
  if (rights) {
    known.set(request, rights);
    return rights;
  }
  throw new CraneError(
    'E_HTTP_TOKEN',
    token === undefined ? 'the request carries no access token' : 'the access token is not known',
    { hint: 'send the header Authorization: Bearer TOKEN' },
  );
}

/** Whether the caller adds and deletes, as checkToken() found. */
export function mayWrite(request: IncomingMessage): boolean {
  return known.get(request)?.has('write') ?? false;
}

/** @throws CraneError E_HTTP_RIGHT */
export function checkRight(rights: ReadonlySet<Right>, right: Right, hasTokens: boolean): void {
  if (rights.has(right)) return;
  throw new CraneError(
    'E_HTTP_RIGHT',
    hasTokens ? 'this token may not add or delete' : 'nobody may add or delete here: there are no tokens',
    { hint: `the operator writes the word ${right} behind a token in the file of tokens` },
  );
}
