/**
 * A bank of normal pictures as callers hold it: what it is, and how it is kept (native/normals/bank.h). The memory that
 * another method keeps of normal pictures is held and kept alike.
 */
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NativeEngine } from '../addon/engine.js';
import { checkFields, flagField } from '../check-fields.js';
import { deepFrozen } from '../deep-frozen.js';
import { CraneError } from '../errors.js';
import { removeLeft } from '../files/left-files.js';
import { makeFolder } from '../files/make-folder.js';
import { temporaryBeside, withoutTemporary } from '../files/temporary-name.js';
import { publishNew } from '../files/write-whole.js';
import { checkPath } from '../wrong-value.js';
import { type BankFacts, bankIdentity, metadataOf } from './bank-facts.js';

export interface SaveBankOptions {
  /** default: a file that exists is E_EXISTS */
  overwrite?: boolean;
}

/**
 * Belongs to the engine that made it, and lives until remove() or the engine's dispose(). Made by
 * `engine.learnNormals`, `engine.openNormals` and `engine.mergeNormals`.
 */
export class NormalBank {
  /** frozen: they are what its file says of itself */
  readonly facts: BankFacts;
  /** of equal identity: the same patches, so that scores are equal */
  readonly identity: string;
  readonly #native: NativeEngine;
  readonly #handle: number;
  readonly #whenFreed = new Set<() => void>();
  #users = 0;
  #isRemoved = false;

  /** @internal */
  constructor(native: NativeEngine, handle: number, facts: BankFacts) {
    this.#native = native;
    this.#handle = handle;
    this.facts = deepFrozen(structuredClone(facts));
    this.identity = bankIdentity(facts);
    Object.freeze(this);
  }

  /**
   * Writes the bank to a file that `normals` takes, whole or not at all.
   * @throws CraneError E_USAGE, E_EXISTS, E_IO_WRITE, E_NORMALS for a bank that was removed
   */
  async save(path: string, options: SaveBankOptions = {}): Promise<void> {
    checkPath('the file of the bank', path);
    checkFields('save', options, { overwrite: flagField });
    const { overwrite = false } = options;
    const temporary = temporaryBeside(path);
    const held = this.hold(this.#native);
    try {
      await makeFolder(dirname(path));
      await removeLeft(dirname(path), { of: path });
      await this.#native.writeContext(held.handle, temporary, metadataOf(this.facts));
      if (overwrite) await rename(temporary, path);
      else await publishNew(temporary, path);
    } catch (thrown) {
      throw withoutTemporary(thrown, temporary, path);
    } finally {
      held.release();
      await rm(temporary, { force: true }).catch(() => {});
    }
  }

  /** Frees its memory once no picture is compared with it any more; calls from now on refuse it. */
  remove(): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    this.#freeIfIdle();
  }

  /** @internal Of this engine, to be released. @throws CraneError E_NORMALS */
  hold(native: NativeEngine): { handle: number; release(): void } {
    if (this.#isRemoved) throw new CraneError('E_NORMALS', 'the bank of normal pictures was removed');
    if (native !== this.#native) {
      throw new CraneError('E_NORMALS', 'the bank of normal pictures belongs to another engine', {
        hint: 'save it, and open the file with this engine: engine.openNormals(file)',
      });
    }
    this.#users++;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#users--;
      this.#freeIfIdle();
    };
    return { handle: this.#handle, release };
  }

  /** @internal Called once its memory is freed; at once where it was. */
  whenFreed(done: () => void): void {
    if (this.#isRemoved && this.#users === 0) done();
    else this.#whenFreed.add(done);
  }

  #freeIfIdle(): void {
    if (!this.#isRemoved || this.#users > 0) return;
    this.#native.removeContext(this.#handle);
    for (const done of this.#whenFreed) done();
    this.#whenFreed.clear();
  }
}
