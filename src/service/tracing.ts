/** Spans of requests for OpenTelemetry, where the environment names a collector. Where it does not, nothing of this is loaded. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Context, SpanContext } from '@opentelemetry/api';
import { toCraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import type { Log } from './log.js';

export interface RequestSpan {
  end(route: string, status: number, code: string | undefined): void;
}

export interface Tracing {
  begin(request: { method: string; id: string; headers: IncomingHttpHeaders }): RequestSpan;
  /** Sends what is left, within a little time: a collector that is away holds up no end. */
  close(): Promise<void>;
}

const k_packages = [
  '@opentelemetry/api',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
];
const k_exportMs = 2000;
const k_closeMs = 2000;

/** As the specification names the variables; the packages read the others (headers, sampler, service name) themselves. */
export function isTraced(env: NodeJS.ProcessEnv): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = env;
  const isOff = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  return !isOff && Boolean(all || traces);
}

/** Never a reason not to start: a machine may set the variables for everything that runs on it. */
export async function openTracing(
  env: NodeJS.ProcessEnv,
  version: string,
  log: Log,
): Promise<Tracing | undefined> {
  if (!isTraced(env)) return undefined;
  try {
    return await loadOptional('telling OpenTelemetry of requests', k_packages, () => load(version, log));
  } catch (thrown) {
    const { message, hint } = toCraneError(thrown);
    log.warn({ error: message, hint }, 'OpenTelemetry is not told');
    return undefined;
  }
}

async function load(version: string, log: Log): Promise<Tracing> {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, isSpanContextValid, trace } = await import(
    '@opentelemetry/api'
  );
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { detectResources, envDetector, resourceFromAttributes } = await import('@opentelemetry/resources');
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  const shorter = process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] ? {} : { timeoutMillis: k_exportMs };
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'crane-native', 'service.version': version }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    // A collector that does not answer would keep the process for their half minute after its end.
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter(shorter), { exportTimeoutMillis: k_exportMs }),
    ],
  });
  const tracer = provider.getTracer('crane-native', version);
  const parentOf = (header: unknown): Context => {
    const parent = spanContextOf(header);
    return parent && isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  };
  return {
    begin: ({ method, id, headers }) => {
      const attributes = { 'http.request.method': method, 'crane.request_id': id };
      const parent = parentOf(headers['traceparent']);
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
      return {
        end: (route, status, code) => {
          span.updateName(`${method} ${route}`);
          span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
          if (code !== undefined) span.setAttribute('error.type', code);
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    close: async () => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, k_closeMs).unref());
      const sent = provider.shutdown().catch((thrown: unknown) => {
        log.warn({ error: (thrown as Error).message }, 'the last spans were not taken');
      });
      await Promise.race([sent, late]);
    },
  };
}

/** Of `traceparent` (W3C Trace Context, version 00). */
export function spanContextOf(header: unknown): SpanContext | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(
    typeof header === 'string' ? header : '',
  );
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match;
  return { traceId: traceId!, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16), isRemote: true };
}
