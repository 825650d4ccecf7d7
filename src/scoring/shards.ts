/**
 * Which inputs are a shard's, and what proves that all shards listed the same ones. A shard is chosen by the input's name and not
 * by its place, so an input that is added or taken away moves no other to another shard.
 */
import { createHash, type Hash } from 'node:crypto';

export interface Shard {
  /** from 1 */
  index: number;
  count: number;
}

/** From 1 to `count`: of the first 48 bits of the name's sha256, as a whole number, the rest by `count`. */
export function shardOf(name: string, count: number): number {
  return (createHash('sha256').update(name).digest().readUIntBE(0, 6) % count) + 1;
}

export interface ListedInputs {
  count: number;
  /** of the names in their order, each followed by a zero byte */
  sha256: string;
}

/** The listing of a run, of this shard's inputs and of the others'. */
export class Listing {
  #count = 0;
  readonly #hash: Hash = createHash('sha256');

  add(name: string): void {
    this.#count++;
    this.#hash.update(name).update('\0');
  }

  /** Ends it. */
  close(): ListedInputs {
    return { count: this.#count, sha256: this.#hash.digest('hex') };
  }
}
