/**
 * The folder of one run. run.json is written first and claims it; of each epoch the prompts are written before the
 * state that says they are there, so that a process killed at any moment finds a state from which everything after
 * it is made again, byte for byte.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { claimFolder } from '../files/folder-lock.js';
import type { HeldLock } from '../files/lock-file.js';
import { codedWriteError, isThere } from '../files/write-whole.js';
import { removeStale } from './feature-cache.js';

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

  /** What a killed process left half-written. Only for who has the right to this folder. */
  async removeTemporary(): Promise<void> {
    await removeStale(this.path, 0);
  }

  async #ownFiles(): Promise<string[]> {
    const names = await readdir(this.path).catch(() => []);
    const fixed = [this.state, this.prompts, this.report, this.record];
    const checkpoints = names
      .filter((name) => /^epoch_\d+\.pth$/.test(name))
      .map((name) => join(this.path, name));
    const present = await Promise.all(fixed.map(async (file) => ((await isThere(file)) ? file : undefined)));
    return [...checkpoints, ...present.filter((file) => file !== undefined)];
  }
}
