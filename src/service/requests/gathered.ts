/** Bytes that come in parts of any size. A body in chunks of one byte would cost hundreds of times its length, kept part by part. */
const k_block = 65_536;
/** Larger parts are kept as they are: what they hold beside themselves is no more than a few times their length. */
const k_small = k_block / 4;

export class Gathered {
  readonly #parts: Buffer[] = [];
  #block: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** Pieces of memory that are held. */
  get count(): number {
    return this.#parts.length + (this.#filled > 0 ? 1 : 0);
  }

  add(part: Buffer): void {
    if (part.length > k_small) {
      this.#endBlock();
      this.#parts.push(part);
      return;
    }
    if (this.#filled + part.length > this.#block.length) {
      this.#endBlock();
      this.#block = Buffer.allocUnsafeSlow(k_block);
    }
    this.#filled += part.copy(this.#block, this.#filled);
  }

  whole(): Buffer {
    this.#endBlock();
    return Buffer.concat(this.#parts);
  }

  /** What is left of the block goes on being filled. */
  #endBlock(): void {
    if (this.#filled === 0) return;
    this.#parts.push(this.#block.subarray(0, this.#filled));
    this.#block = this.#block.subarray(this.#filled);
    this.#filled = 0;
  }
}
