/**
 * What becomes of a command whose own output cannot be written: a full disk behind `> results.jsonl` is told, a reader that went
 * (`| head -1`) is no error. Loaded before anything that an old Node cannot read, so what it needs is loaded when it is needed.
 */
import type { Writable } from 'node:stream';

export class OutputFault {
  #first: { name: string; error: NodeJS.ErrnoException } | undefined;
  #isReaderGone = false;
  #endsWithReader = false;

  /**
   * @param name of the stream, for people
   * @param onGone whoever read the stream has gone: the command goes on, unless it works for him alone
   * @param onLost what came after would have a hole before it
   */
  watch(stream: Writable, name: string, { onGone, onLost }: { onGone(): void; onLost(): void }): void {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return onGone();
      this.#first ??= { name, error };
      onLost();
    });
  }

  /** For a command whose only product is what it prints. */
  endWithReader(): void {
    this.#endsWithReader = true;
  }

  /** @returns whether the command is to end */
  readerIsGone(): boolean {
    this.#isReaderGone = true;
    return this.#endsWithReader;
  }

  /** It was given up, or had nobody left to tell, and that is no error. */
  get isEndedByReader(): boolean {
    return this.#isReaderGone && this.#endsWithReader;
  }

  /**
   * Waits until all that was written is out.
   * @param thrown what the command ended with, if it failed
   * @returns what it is to end with
   */
  async over(stdout: Writable, thrown: unknown): Promise<unknown> {
    await new Promise<void>((done) => stdout.write('', () => setImmediate(done)));
    if (this.#first === undefined) return thrown;
    const { name, error } = this.#first;
    const { CraneError, toCraneError } = await import('../errors.js');
    const { codedWriteError } = await import('../files/write-whole.js');
    const ended = thrown === undefined || thrown === error ? undefined : toCraneError(thrown);
    // Given up because of this very fault, it says what is kept; any other fault stands for itself.
    if (ended !== undefined && ended.code !== 'E_CANCELLED') return thrown;
    const { code, message, hint } = codedWriteError(name, error);
    const hints = [ended?.message, ended?.hint ?? hint].filter((text) => text !== undefined);
    return new CraneError(code, message, { hint: hints.join('; ') || undefined, cause: error });
  }
}
