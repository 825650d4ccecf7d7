/** The service as an HTTP server: addresses, guards, headers, errors, log. */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, METHODS, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { CraneError, toCraneError } from '../errors.js';
import { endUnlessTaken, inPieces, watchConnection } from './answer-pieces.js';
import { type ErrorAnswer, statusOf, told } from './answers.js';
import { checkOrigin, checkRight, checkToken, isLoopback } from './guard.js';
import type { Log } from './log.js';
import type { Service } from './service.js';
import type { Certificate } from './tls.js';
import type { RequestSpan } from './tracing.js';

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

export interface Address {
  path: string;
  methods: Partial<Record<'GET' | 'POST' | 'DELETE', Handler>>;
  /** needs no token: health, and what asks for the token */
  isOpen?: boolean;
  /** these methods add or delete what the service keeps, and need the right to */
  writes?: readonly ('POST' | 'DELETE')[];
  /** a part of the page, not of the interface */
  isPage?: boolean;
  /** the form of errors that the address's protocol has; else ours */
  errorBody?: (answer: ErrorAnswer) => object;
}

/** All that Node reads, so that none is answered otherwise than its neighbours. CONNECT is no request to an address. */
const k_allMethods = METHODS.filter((method) => method !== 'CONNECT') as HTTPMethods[];
const k_maxHeadersMs = 10_000;
const k_maxHead = 16_384;

const k_headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(self), microphone=(), geolocation=(), payment=(), usb=()',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** @returns a server that does not listen yet */
export async function makeServer(
  service: Service,
  addresses: readonly Address[],
  log: Log,
  certificate?: Certificate,
): Promise<FastifyInstance> {
  const { default: fastify } = await import('fastify');
  const { requestTimeoutMs, maxBody, host } = service.settings;
  const timeouts = {
    headersTimeout: Math.min(requestTimeoutMs, k_maxHeadersMs),
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    maxHeaderSize: k_maxHead,
    // Node's own answer has no body; ours is in checkOrigin().
    requireHostHeader: false,
  };
  const common = {
    logger: false,
    requestTimeout: requestTimeoutMs,
    // Idle connections: longer than the minute that proxies keep them.
    keepAliveTimeout: 72_000,
    bodyLimit: maxBody,
    forceCloseConnections: 'idle' as const,
    // What comes while the service ends is refused by whoever would take it, in our form.
    return503OnClosing: false,
    // What the router itself refuses would be seen by no hook: no check, no headers, no log.
    rewriteUrl: decodable,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: k_maxHead },
    genReqId: requestId,
    clientErrorHandler: answerBrokenRequest,
  };
  const app = (certificate
    ? fastify({ ...common, https: { ...certificate, ...timeouts } })
    : fastify({ ...common, http: timeouts })) as unknown as FastifyInstance;
  for (const method of k_allMethods)
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: false });
  // A server may leave it unheeded (RFC 9110, 10.1.1); Node's own refusal has no body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.removeAllContentTypeParsers();
  // Bodies are read by whoever knows their limits.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  const isLocalOnly = isLoopback(host) && !service.tokens;
  const { tracing } = service;
  app.addHook('onRequest', async (request, reply) => {
    if (tracing) spans.set(request, tracing.begin(request));
    // Also of a client that leaves: every request is told of once.
    const began = performance.now();
    watchConnection(request.raw, reply.raw);
    reply.raw.once('close', () => tellEnd(service, log, request, reply, performance.now() - began));
    reply.headers(k_headers).header('x-request-id', request.id);
    checkOrigin(request.raw, isLocalOnly);
    const { isOpen, methods, writes } = addressOf(request);
    const { tokens } = service;
    const rights = isOpen ? undefined : checkToken(request.raw, { tokens, host });
    // Before the framework looks at a body that nobody will read.
    if (request.is404) throw nowhere();
    if (methods && !takes(methods, request.method)) {
      const allowed = k_allMethods.filter((method) => takes(methods, method)).join(', ');
      reply.header('allow', allowed);
      throw new CraneError('E_HTTP_METHOD', `${request.method} is not taken here`, {
        hint: `take ${allowed}`,
      });
    }
    if (rights && (writes as readonly string[] | undefined)?.includes(request.method))
      checkRight(rights, 'write', tokens !== undefined);
  });
  app.addHook('onSend', async (request, reply, given) => {
    endUnlessTaken(reply.raw, requestTimeoutMs, () =>
      log.warn({ requestId: request.id }, 'the client takes nothing of its answer: its connection is closed'),
    );
    const { payload, length } = inPieces(given);
    if (length !== undefined) reply.header('content-length', length);
    return payload;
  });
  for (const address of addresses) add(app, address);
  app.setNotFoundHandler(() => {
    throw nowhere();
  });
  app.setErrorHandler((thrown, request, reply) => fail(service, log, thrown, request, reply));
  return app;
}

/** Of requests that are traced. */
const spans = new WeakMap<FastifyRequest, RequestSpan>();
/** Of requests that were refused. */
const codes = new WeakMap<FastifyRequest, string>();

function tellEnd(
  { figures }: Service,
  log: Log,
  request: FastifyRequest,
  reply: FastifyReply,
  took: number,
): void {
  const { method } = request;
  const route = request.routeOptions.url ?? 'none';
  const isWhole = reply.raw.writableFinished;
  const status = isWhole ? reply.statusCode : statusOf('E_CANCELLED');
  const ms = Math.round(took * 10) / 10;
  figures.countRequest(route, status);
  spans.get(request)?.end(route, status, codes.get(request) ?? (isWhole ? undefined : 'E_CANCELLED'));
  const facts = { requestId: request.id, method, route, status, ms };
  log.info(facts, isWhole ? 'answered' : 'ended before its answer was whole');
}

function add(app: FastifyInstance, address: Address): void {
  const { path, methods } = address;
  const config = { address };
  for (const [method, handler] of Object.entries(methods))
    app.route({ method: method as HTTPMethods, url: path, config, handler });
  const others = k_allMethods.filter((method) => !takes(methods, method));
  // Answered before: no handler of theirs is ever reached.
  app.route({ method: others, url: path, config, exposeHeadRoute: false, handler: () => {} });
}

function nowhere(): CraneError {
  return new CraneError('E_HTTP_NOT_FOUND', 'there is nothing at this address', {
    hint: 'GET /openapi.json lists what there is',
  });
}

/** HEAD is GET without its body. */
function takes(methods: Address['methods'], method: string): boolean {
  return Object.hasOwn(methods, method === 'HEAD' ? 'GET' : method);
}

function addressOf(request: FastifyRequest): Partial<Address> {
  return (request.routeOptions.config as { address?: Address } | undefined)?.address ?? {};
}

/** A path whose escapes mean no text is taken as it is written: it is then the name of nothing. */
function decodable({ url = '' }: IncomingMessage): string {
  const [path] = /^[^?#]*/.exec(url)!;
  try {
    decodeURI(path);
    return url;
  } catch {
    return path.replaceAll('%', '%25') + url.slice(path.length);
  }
}

/** A proxy's own id is kept, so that its log and ours can be read together. */
function requestId({ headers }: { headers: Record<string, unknown> }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

function fail(
  service: Service,
  log: Log,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const error = toServiceError(thrown);
  const status = statusOf(error.code);
  service.figures.countRejected(error.code);
  if (service.tracing) codes.set(request, error.code);
  const facts = { requestId: request.id, code: error.code, error: error.message };
  if (status >= 500 && error.code !== 'E_SERVICE_DOWN') log.error({ ...facts, stack: error.stack }, 'failed');
  else log.debug(facts, 'refused');
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="crane-native"');
  if (status === 429 || status === 503)
    reply.header('retry-after', String(Math.ceil(service.supervisor.retryAfterMs / 1000)));
  // What the client still sends is worth nothing any more.
  if (!request.raw.complete || service.isDraining) reply.header('connection', 'close');
  const answer: ErrorAnswer = { error: told(error), requestId: request.id };
  const { errorBody = (body: ErrorAnswer) => body } = addressOf(request);
  reply.code(status).type('application/json').send(errorBody(answer));
}

/** The framework's own errors have a status and a code of theirs. */
function toServiceError(thrown: unknown): CraneError {
  const { statusCode, code: given } = thrown as { statusCode?: unknown; code?: unknown };
  if (given === 'ERR_STREAM_PREMATURE_CLOSE')
    return new CraneError('E_CANCELLED', 'the client closed the connection before its answer', {
      cause: thrown,
    });
  if (thrown instanceof CraneError || typeof statusCode !== 'number' || statusCode >= 500)
    return toCraneError(thrown);
  const code =
    statusCode === 413
      ? 'E_HTTP_TOO_LARGE'
      : statusCode === 415
        ? 'E_HTTP_TYPE'
        : statusCode === 404
          ? 'E_HTTP_NOT_FOUND'
          : 'E_HTTP_REQUEST';
  return new CraneError(code, 'the request is not well formed', { cause: thrown });
}

/** What is no HTTP, or came too slowly: there is no request yet that could be answered in the usual way. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? 'E_HTTP_TIMEOUT'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? 'E_HTTP_TOO_LARGE'
        : 'E_HTTP_REQUEST';
  const what = {
    E_HTTP_TIMEOUT: 'the request did not come in time',
    E_HTTP_TOO_LARGE: 'the head of the request is too large',
    E_HTTP_REQUEST: 'the request is not well formed',
  }[code];
  const status = code === 'E_HTTP_TOO_LARGE' ? 431 : statusOf(code);
  const answer: ErrorAnswer = { error: { code, message: what }, requestId: randomUUID() };
  const body = JSON.stringify(answer);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
