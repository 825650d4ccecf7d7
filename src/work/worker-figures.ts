/** What a worker tells Prometheus, at /metrics; /healthz answers while the process lives. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';

type Prometheus = typeof import('prom-client');
type ChunkEnd = 'done' | 'known' | 'again' | 'dead';

export class WorkerFigures {
  #server: Server | undefined;
  #pictures: InstanceType<Prometheus['Counter']> | undefined;
  #chunks: InstanceType<Prometheus['Counter']> | undefined;
  #seconds: InstanceType<Prometheus['Histogram']> | undefined;

  private constructor() {}

  /** @param port undefined: nothing listens, and nothing is counted. @throws CraneError E_USAGE, E_DEPENDENCY */
  static async open(port: number | undefined): Promise<WorkerFigures> {
    const figures = new WorkerFigures();
    if (port !== undefined) await figures.#listen(port);
    return figures;
  }

  get address(): string | undefined {
    const { port } = (this.#server?.address() ?? {}) as Partial<AddressInfo>;
    return port === undefined ? undefined : `http://localhost:${port}/metrics`;
  }

  picture(): void {
    this.#pictures?.inc();
  }

  chunk(end: ChunkEnd, ms: number): void {
    this.#chunks?.inc({ end });
    if (end === 'done') this.#seconds?.observe(ms / 1000);
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  }

  async #listen(port: number): Promise<void> {
    const { Registry, Counter, Histogram, collectDefaultMetrics } = await loadOptional(
      'figures of a worker',
      ['prom-client'],
      () => import('prom-client'),
    );
    const register = new Registry();
    collectDefaultMetrics({ register });
    const registers = [register];
    this.#pictures = new Counter({ name: 'crane_worker_pictures_total', help: 'pictures scored', registers });
    this.#chunks = new Counter({
      name: 'crane_worker_chunks_total',
      help: 'chunks by how they ended: done, known, again, dead',
      labelNames: ['end'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'crane_worker_chunk_seconds',
      help: 'seconds of a chunk',
      buckets: [0.1, 1, 10, 60, 300, 1800, 7200],
      registers,
    });
    const server = createServer(async (request, response) => {
      if (request.url === '/healthz') return void response.end('ok\n');
      if (request.url !== '/metrics') return void response.writeHead(404).end();
      response.setHeader('content-type', register.contentType);
      response.end(await register.metrics());
    });
    await new Promise<void>((done, fail) => {
      server.once('error', (cause) =>
        fail(new CraneError('E_USAGE', `port ${port}: ${cause.message}`, { cause })),
      );
      server.listen(port, done);
    });
    this.#server = server;
  }
}
