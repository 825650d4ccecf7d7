/** What GET /metrics tells, in the text form of Prometheus. */
import type * as Prometheus from 'prom-client';
import type { Answer, ModelFacts } from './engine-messages.js';

export interface Sources {
  pictures(): number;
  heldBytes(): number;
  isReady(): boolean;
  restarts(): number;
  models(): readonly ModelFacts[];
}

const k_seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const k_sizes = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];

export class Figures {
  readonly #registry: Prometheus.Registry;
  readonly #requests: Prometheus.Counter<'route' | 'status'>;
  readonly #rejected: Prometheus.Counter<'reason'>;
  readonly #scored: Prometheus.Counter<'model'>;
  readonly #wait: Prometheus.Histogram<string>;
  readonly #decode: Prometheus.Histogram<string>;
  readonly #forward: Prometheus.Histogram<string>;
  readonly #passSize: Prometheus.Histogram<string>;
  readonly #pass: Prometheus.Histogram<string>;

  constructor(prometheus: typeof Prometheus, sources: Sources) {
    const registry = new prometheus.Registry();
    this.#registry = registry;
    const registers = [registry];
    prometheus.collectDefaultMetrics({ register: registry });
    const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
      new prometheus.Counter({ name, help, labelNames, registers });
    const histogram = (name: string, help: string, buckets = k_seconds) =>
      new prometheus.Histogram({ name, help, buckets, registers });
    this.#requests = counter('crane_requests_total', 'answered requests', ['route', 'status']);
    this.#rejected = counter('crane_rejected_total', 'requests refused, by the code of the error', [
      'reason',
    ]);
    this.#scored = counter('crane_pictures_total', 'scored pictures', ['model']);
    this.#wait = histogram(
      'crane_queue_wait_seconds',
      'what a picture waited for its forward pass and others',
    );
    this.#decode = histogram('crane_decode_seconds', 'decoding of a picture');
    this.#forward = histogram('crane_forward_seconds', 'forward pass of a picture, shared ones divided');
    this.#passSize = histogram('crane_batch_pictures', 'pictures of a forward pass', k_sizes);
    this.#pass = histogram('crane_pass_seconds', 'a whole forward pass');
    const gauge = (name: string, help: string, value: () => number) =>
      new prometheus.Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('crane_in_flight_pictures', 'pictures in the service', sources.pictures);
    gauge('crane_held_bytes', 'bytes of bodies in the service', sources.heldBytes);
    gauge('crane_engine_ready', '1 while the engine takes pictures', () => Number(sources.isReady()));
    gauge('crane_engine_restarts', 'starts of the engine after the first', sources.restarts);
    new prometheus.Gauge({
      name: 'crane_model_info',
      help: '1 for each model that is served',
      labelNames: ['name', 'model', 'device', 'precision'],
      registers,
      collect() {
        this.reset();
        for (const { name, facts } of sources.models()) {
          const { model, device, precision } = facts;
          this.set({ name, model, device, precision }, 1);
        }
      },
    });
  }

  countRequest(route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) });
  }

  countRejected(reason: string): void {
    this.#rejected.inc({ reason });
  }

  countScored(model: string, { result, totalMs }: Answer): void {
    const { ms } = result;
    this.#scored.inc({ model });
    if (!ms) return;
    this.#decode.observe(ms.decode / 1000);
    this.#forward.observe(ms.forward / 1000);
    const worked = ms.decode + ms.preprocess + ms.forward + ms.postprocess;
    this.#wait.observe(Math.max(0, totalMs - worked) / 1000);
  }

  countPass(pictures: number, ms: number): void {
    this.#passSize.observe(pictures);
    this.#pass.observe(ms / 1000);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
