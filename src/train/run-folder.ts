/**
 * The folder of one run. run.json is written first and claims it; of each epoch the prompts are written before the
 * state that says they are there, so that a process killed at any moment finds a state from which everything after
 * it is made again, byte for byte.
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CraneError } from '../errors.js';
import { claimFolder } from '../files/folder-lock.js';
import { removeLeft } from '../files/left-files.js';
import type { HeldLock } from '../files/lock-file.js';
import { ofNativeWriter, writerOf } from '../files/temporary-name.js';
import { codedWriteError, isThere } from '../files/write-whole.js';

const k_checkpoint = /^epoch_\d+\.pth$/;

export class RunFolder {
  readonly record: string;
  readonly state: string;
  readonly prompts: string;
  readonly report: string;

  constructor(readonly path: string) {
    this.record = join(path, 'run.json');
    this.state = join(path, 'state.safetensors');
    this.prompts = join(path, 'prompts.safetensors');
    this.report = join(path, 'report.html');
  }

  /** @param epoch from 1 */
  checkpoint(epoch: number): string {
    return join(this.path, `epoch_${epoch}.pth`);
  }

  /** @throws CraneError E_EXISTS when a training is here and neither `resume` nor `force` says what to do with it */
  async checkFree({ resume, force }: { resume: boolean; force: boolean }): Promise<void> {
    if (resume || force || (await this.#ownFiles()).length === 0) return;
    throw this.isTaken();
  }

  /** Nobody else may work here until the lock is released. @throws CraneError E_IN_USE, E_IO_WRITE */
  async claim(): Promise<HeldLock> {
    return claimFolder(this.path).catch((thrown: unknown) => {
      throw codedWriteError(this.path, thrown);
    });
  }

  isTaken(): CraneError {
    return new CraneError('E_EXISTS', `${this.path}: holds a training already`, {
      hint: 'go on with --resume, start anew with --force, or choose another --out',
    });
  }

  /** Takes an earlier training away; its state goes first, so that nobody ever goes on from it with new files. */
  async clear(): Promise<void> {
    for (const file of [this.state, ...(await this.#ownFiles())]) await rm(file, { force: true });
  }

  /**
   * What killed processes left half-written. Only for who has the right to this folder: what was to become a file of the run is
   * nobody else's, whoever has the number of its process now.
   */
  async removeTemporary(): Promise<void> {
    await removeLeft(this.path);
    for (const entry of await readdir(this.path, { withFileTypes: true }).catch(() => [])) {
      const of = writerOf(entry.name)?.of ?? ofNativeWriter(entry.name);
      if (of === undefined || !entry.isFile() || !this.#isOwn(of)) continue;
      await rm(join(this.path, entry.name), { force: true });
    }
  }

  #isOwn(name: string): boolean {
    return k_checkpoint.test(name) || this.#fixed.some((file) => basename(file) === name);
  }

  get #fixed(): string[] {
    return [this.state, this.prompts, this.report, this.record];
  }

  async #ownFiles(): Promise<string[]> {
    const names = await readdir(this.path).catch(() => []);
    const checkpoints = names.filter((name) => k_checkpoint.test(name)).map((name) => join(this.path, name));
    const present = await Promise.all(
      this.#fixed.map(async (file) => ((await isThere(file)) ? file : undefined)),
    );
    return [...checkpoints, ...present.filter((file) => file !== undefined)];
  }
}
