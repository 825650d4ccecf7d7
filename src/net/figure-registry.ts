/** What a process tells Prometheus, be it a service or a worker: the registry, and the figures that both have of their pictures. */
import type * as Prometheus from 'prom-client';

export const k_seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type Labelled = { labels: Record<string, string>; value: number };

/** Holds what prom-client tells of any process, too. */
export class FigureRegistry {
  readonly #prometheus: typeof Prometheus;
  readonly #registry: Prometheus.Registry;

  constructor(prometheus: typeof Prometheus) {
    this.#prometheus = prometheus;
    this.#registry = new prometheus.Registry();
    prometheus.collectDefaultMetrics({ register: this.#registry });
  }

  counter<L extends string>(name: string, help: string, labelNames: L[]): Prometheus.Counter<L> {
    return new this.#prometheus.Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  histogram(name: string, help: string, buckets = k_seconds): Prometheus.Histogram<string> {
    return new this.#prometheus.Histogram({ name, help, buckets, registers: [this.#registry] });
  }

  /** @param read asked at each scrape */
  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, [], () => [{ labels: {}, value: read() }]);
  }

  /** One for each row; a row that is gone is told no more. @param read asked at each scrape */
  gauges(
    name: string,
    help: string,
    labelNames: string[],
    read: () => Labelled[] | Promise<Labelled[]>,
  ): void {
    new this.#prometheus.Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      async collect() {
        const rows = await read();
        this.reset();
        for (const { labels, value } of rows) this.set(labels, value);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

export interface ModelInfo {
  /** as callers name it */
  name: string;
  facts: { model: string; device: string; precision: string };
}

/** Of scored pictures and of the models that score them. */
export class PictureFigures {
  readonly #scored: Prometheus.Counter<'model'>;
  readonly #decode: Prometheus.Histogram<string>;
  readonly #forward: Prometheus.Histogram<string>;

  constructor(registry: FigureRegistry, models: () => readonly ModelInfo[]) {
    this.#scored = registry.counter('crane_pictures_total', 'scored pictures', ['model']);
    this.#decode = registry.histogram('crane_decode_seconds', 'decoding of a picture');
    this.#forward = registry.histogram(
      'crane_forward_seconds',
      'forward pass of a picture, shared ones divided',
    );
    registry.gauges(
      'crane_model_info',
      '1 for each model that is loaded',
      ['name', 'model', 'device', 'precision'],
      () =>
        models().map(({ name, facts: { model, device, precision } }) => ({
          labels: { name, model, device, precision },
          value: 1,
        })),
    );
  }

  /** @param model as callers name it */
  count(model: string, ms: { decode: number; forward: number } | undefined): void {
    this.#scored.inc({ model });
    if (!ms) return;
    this.#decode.observe(ms.decode / 1000);
    this.#forward.observe(ms.forward / 1000);
  }
}
