/**
 * How much may be in the service at once: requests, their pictures, the time that these take, and their bytes. One more is told to
 * come again.
 */
import { CraneError } from '../errors.js';

/** Of the newest pass's time in the running mean. */
const k_weightOfNewest = 0.2;

export class Admission {
  #pictures = 0;
  #bytes = 0;
  /** running mean; undefined before the first pass */
  #msPerPicture: number | undefined;
  readonly #maxPictures: number;
  readonly #maxMs: number;
  readonly #maxBytes: number;

  constructor(limits: { maxQueue: number; maxQueueMs: number; maxHeldBytes: number }) {
    this.#maxPictures = limits.maxQueue;
    this.#maxMs = limits.maxQueueMs;
    this.#maxBytes = limits.maxHeldBytes;
  }

  /** A forward pass took so long. */
  notePass(pictures: number, ms: number): void {
    const one = ms / pictures;
    this.#msPerPicture =
      this.#msPerPicture === undefined
        ? one
        : this.#msPerPicture + k_weightOfNewest * (one - this.#msPerPicture);
  }

  get pictures(): number {
    return this.#pictures;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A place for a request, which counts as one picture until more are known. @throws CraneError E_QUEUE_FULL */
  enter(): Place {
    this.#checkWait();
    this.#take(1);
    let pictures = 1;
    let bytes = 0;
    return {
      holdBytes: (more) => {
        if (this.#bytes + more > this.#maxBytes) {
          throw new CraneError(
            'E_QUEUE_FULL',
            `the requests at work hold ${this.#bytes} bytes, the limit is ${this.#maxBytes}`,
          );
        }
        this.#bytes += more;
        bytes += more;
      },
      holdPictures: (count) => {
        if (count <= pictures) return;
        this.#take(count - pictures);
        pictures = count;
      },
      leave: () => {
        this.#pictures -= pictures;
        this.#bytes -= bytes;
        pictures = 0;
        bytes = 0;
      },
    };
  }

  /** What came before decides, so that a request of many pictures is taken where nobody waits. */
  #checkWait(): void {
    const ms = this.#pictures * (this.#msPerPicture ?? 0);
    if (ms <= this.#maxMs) return;
    throw new CraneError(
      'E_QUEUE_FULL',
      `${this.#pictures} pictures are at work, which take about ${Math.ceil(ms / 1000)} s`,
      { hint: 'try once more after the time that Retry-After states' },
    );
  }

  #take(pictures: number): void {
    if (this.#pictures + pictures > this.#maxPictures) {
      throw new CraneError(
        'E_QUEUE_FULL',
        `${this.#pictures} pictures are at work, the limit is ${this.#maxPictures}`,
        { hint: 'try once more after the time that Retry-After states' },
      );
    }
    this.#pictures += pictures;
  }
}

export interface Place {
  /** @throws CraneError E_QUEUE_FULL */
  holdBytes(more: number): void;
  /** The request has so many. @throws CraneError E_QUEUE_FULL */
  holdPictures(count: number): void;
  /** May be called twice. */
  leave(): void;
}
