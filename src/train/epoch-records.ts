/**
 * What a run remembers of its epochs for run.json: a checksum each, taken as room at once. The rest is told by the losses, so
 * that a training of days holds at its end what it held at its first step.
 */
import type { LossHistory } from '../runs/loss-history.js';
import type { EpochRecord } from '../runs/training-record.js';

const k_hashBytes = 32;

export class EpochRecords {
  readonly #losses: LossHistory;
  readonly #stepsPerEpoch: number;
  /** zeros: not known */
  readonly #hashes: Buffer;
  #done = 0;

  /**
   * @param losses of every step; the caller adds to them
   * @param epochs of the whole run
   */
  constructor(losses: LossHistory, stepsPerEpoch: number, epochs: number) {
    this.#losses = losses;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#hashes = Buffer.alloc(epochs * k_hashBytes);
  }

  /** One epoch more is done. @param sha256 of its checkpoint, 64 digits; undefined: not known */
  add(sha256: string | undefined): void {
    if (sha256 !== undefined) this.#hashes.write(sha256, this.#done * k_hashBytes, k_hashBytes, 'hex');
    this.#done++;
  }

  /** As run.json has them, made anew. */
  all(): EpochRecord[] {
    return Array.from({ length: this.#done }, (_, epoch) => {
      const steps = this.#stepsPerEpoch;
      const hash = this.#hashes.subarray(epoch * k_hashBytes, (epoch + 1) * k_hashBytes);
      return {
        epoch: epoch + 1,
        steps,
        losses: this.#losses.mean(epoch * steps, (epoch + 1) * steps),
        checkpoint: `epoch_${epoch + 1}.pth`,
        ...(hash.some((byte) => byte !== 0) ? { sha256: hash.toString('hex') } : {}),
      };
    });
  }
}
