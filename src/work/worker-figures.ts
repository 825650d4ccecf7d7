/** What a worker tells Prometheus, at /metrics, as `serve` does; /healthz answers while the process lives. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type * as Prometheus from 'prom-client';
import type { ScoreOutcome } from '../engine/result.js';
import { isFailed } from '../engine/result.js';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import { FigureRegistry, type ModelInfo, PictureFigures } from '../net/figure-registry.js';

type ChunkEnd = 'done' | 'known' | 'again' | 'dead';

export interface FigureSources {
  model: ModelInfo;
  /** jobs of the queue by their state; asked at each scrape, and left out where there is no answer */
  jobs(): Promise<Record<string, number>>;
}

/** A scrape takes no longer because the queue's server is away. */
const k_jobsMs = 1000;
const k_chunkSeconds = [0.1, 1, 10, 60, 300, 1800, 7200];

export class WorkerFigures {
  readonly #model: ModelInfo;
  readonly #pictures: PictureFigures;
  readonly #failed: Prometheus.Counter<'code'>;
  readonly #chunks: Prometheus.Counter<'end'>;
  readonly #seconds: Prometheus.Histogram<string>;
  readonly #server: Server;

  private constructor(prometheus: typeof Prometheus, { model, jobs }: FigureSources) {
    const registry = new FigureRegistry(prometheus);
    this.#model = model;
    this.#pictures = new PictureFigures(registry, () => [model]);
    this.#failed = registry.counter(
      'crane_failed_pictures_total',
      'pictures without a score, by the code of the error',
      ['code'],
    );
    this.#chunks = registry.counter(
      'crane_worker_chunks_total',
      'chunks by how they ended: done, known (done before), again (later), dead (put aside)',
      ['end'],
    );
    this.#seconds = registry.histogram('crane_worker_chunk_seconds', 'seconds of a chunk', k_chunkSeconds);
    registry.gauges('crane_queue_jobs', 'jobs of the queue, by their state', ['state'], async () =>
      Object.entries(await orNothing(jobs())).map(([state, value]) => ({ labels: { state }, value })),
    );
    this.#server = createServer(async (request, response) => {
      if (request.url === '/healthz') return void response.end('ok\n');
      if (request.url !== '/metrics') return void response.writeHead(404).end();
      try {
        const text = await registry.text();
        response.setHeader('content-type', registry.contentType);
        response.end(text);
      } catch (thrown) {
        response.writeHead(503).end(`${(thrown as Error).message}\n`);
      }
    });
  }

  /** @throws CraneError E_USAGE where the port is taken, E_DEPENDENCY */
  static async open(port: number, sources: FigureSources): Promise<WorkerFigures> {
    const prometheus = await loadOptional(
      'figures of a worker',
      ['prom-client'],
      () => import('prom-client'),
    );
    const figures = new WorkerFigures(prometheus, sources);
    await new Promise<void>((done, fail) => {
      figures.#server.once('error', (cause) =>
        fail(new CraneError('E_USAGE', `port ${port}: ${cause.message}`, { cause })),
      );
      figures.#server.listen(port, done);
    });
    return figures;
  }

  get address(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/metrics`;
  }

  picture(outcome: ScoreOutcome): void {
    if (isFailed(outcome)) this.#failed.inc({ code: outcome.error.code });
    else this.#pictures.count(this.#model.name, outcome.ms);
  }

  chunk(end: ChunkEnd, ms: number): void {
    this.#chunks.inc({ end });
    if (end === 'done') this.#seconds.observe(ms / 1000);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

async function orNothing(jobs: Promise<Record<string, number>>): Promise<Record<string, number>> {
  const late = new AbortController();
  const nothing = setTimeout(k_jobsMs, {}, { signal: late.signal }).catch(() => ({}));
  return Promise.race([jobs.catch(() => ({})), nothing]).finally(() => late.abort());
}
