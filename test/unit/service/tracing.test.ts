import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isTraced, spanContextOf } from '../../../src/service/tracing.js';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

interface Span {
  name: string;
  traceId: string;
  parentSpanId?: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}
interface Batch {
  resourceSpans: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }[];
}

const toy = toyModelOfFile();
let service: FakeService;
let collector: Server;
let batches: Batch[];
let headers: unknown[];
let url: string;
beforeEach(async () => {
  batches = [];
  headers = [];
  collector = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      headers.push([request.url, request.headers['x-key']]);
      batches.push(JSON.parse(Buffer.concat(chunks).toString()) as Batch);
      reply.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  collector.close();
});
const post = async (query = '', more: Record<string, string> = {}) =>
  (
    await fetch(`${service.url}v1/score${query}`, {
      method: 'POST',
      body: new Uint8Array(await png(204)),
      headers: { 'content-type': 'image/png', ...more },
    })
  ).status;

describe('OpenTelemetry', () => {
  it('is told of every request, below the span that the client names', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url);
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-key=secret');
    vi.stubEnv('OTEL_SERVICE_NAME', 'line-3');
    service = await startFakeService(toy.model);
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    expect(
      await post('', { traceparent: `00-${parent.traceId}-${parent.spanId}-01`, 'x-request-id': 'r1' }),
    ).toBe(200);
    expect(await post('?threshold=3')).toBe(400);
    await service.stop();
    expect(headers[0]).toEqual(['/v1/traces', 'secret']);
    const spans = batches.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
    expect(spans.map(({ name }) => name)).toEqual(['POST /v1/score', 'POST /v1/score']);
    expect(spans[0]).toMatchObject({ traceId: parent.traceId, parentSpanId: parent.spanId });
    const told = (at: number) =>
      Object.fromEntries(spans[at]!.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
    expect(told(0)).toMatchObject({
      'http.route': '/v1/score',
      'http.response.status_code': 200,
      'crane.request_id': 'r1',
    });
    expect(told(1)).toMatchObject({ 'http.response.status_code': 400, 'error.type': 'E_USAGE' });
    const resource = batches[0]!.resourceSpans[0]!.resource.attributes;
    expect(resource).toContainEqual({ key: 'service.name', value: { stringValue: 'line-3' } });
    // Nothing of the machine, of the picture or of a token.
    expect(JSON.stringify(batches)).not.toContain(toy.folder);
  });

  it('that is away changes no answer and holds up no end', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1');
    service = await startFakeService(toy.model);
    expect(await post()).toBe(200);
    await service.stop();
    // A collector that takes and never answers.
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    service = await startFakeService(toy.model);
    expect(await post()).toBe(200);
    await service.stop();
    silent.closeAllConnections();
    silent.close();
  });

  it('is asked for by its variables alone', async () => {
    expect(isTraced({})).toBe(false);
    expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false);
    expect(isTraced({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url })).toBe(true);
    expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: 'true' })).toBe(false);
    expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
    service = await startFakeService(toy.model);
    await post();
    await service.stop();
    expect(batches).toEqual([]);
  });

  it.each([
    undefined,
    '',
    'x',
    `00-${'a'.repeat(32)}-${'b'.repeat(16)}`,
    ['a'],
    `01-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  ])('takes %j for no parent', (header) => {
    expect(spanContextOf(header)).toBeUndefined();
  });
});
