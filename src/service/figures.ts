/** What GET /metrics tells, in the text form of Prometheus. */
import type * as Prometheus from 'prom-client';
import { FigureRegistry, PictureFigures } from '../net/figure-registry.js';
import type { Answer, ModelFacts } from './engine-messages.js';

export interface Sources {
  pictures(): number;
  heldBytes(): number;
  isReady(): boolean;
  restarts(): number;
  models(): readonly ModelFacts[];
}

const k_sizes = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64];

export class Figures {
  readonly #registry: FigureRegistry;
  readonly #pictures: PictureFigures;
  readonly #requests: Prometheus.Counter<'route' | 'status'>;
  readonly #rejected: Prometheus.Counter<'reason'>;
  readonly #wait: Prometheus.Histogram<string>;
  readonly #passSize: Prometheus.Histogram<string>;
  readonly #pass: Prometheus.Histogram<string>;

  constructor(prometheus: typeof Prometheus, sources: Sources) {
    const registry = new FigureRegistry(prometheus);
    this.#registry = registry;
    this.#requests = registry.counter(
      'crane_requests_total',
      'requests; 499: ended before the answer was whole',
      ['route', 'status'],
    );
    this.#rejected = registry.counter('crane_rejected_total', 'requests refused, by the code of the error', [
      'reason',
    ]);
    this.#pictures = new PictureFigures(registry, () => sources.models());
    this.#wait = registry.histogram(
      'crane_queue_wait_seconds',
      'what a picture waited for its forward pass and others',
    );
    this.#passSize = registry.histogram('crane_batch_pictures', 'pictures of a forward pass', k_sizes);
    this.#pass = registry.histogram('crane_pass_seconds', 'a whole forward pass');
    registry.gauge('crane_in_flight_pictures', 'pictures in the service', sources.pictures);
    registry.gauge('crane_held_bytes', 'bytes of bodies in the service', sources.heldBytes);
    registry.gauge('crane_engine_ready', '1 while the engine takes pictures', () =>
      Number(sources.isReady()),
    );
    registry.gauge('crane_engine_restarts', 'starts of the engine after the first', sources.restarts);
  }

  countRequest(route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) });
  }

  countRejected(reason: string): void {
    this.#rejected.inc({ reason });
  }

  countScored(model: string, { result, totalMs }: Answer): void {
    const { ms } = result;
    this.#pictures.count(model, ms);
    if (!ms) return;
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
    return this.#registry.text();
  }
}
