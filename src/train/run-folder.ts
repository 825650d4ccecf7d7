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
import { kindOfRecord } from '../runs/training-record.js';

const k_checkpoint = /^epoch_\d+\.pth$/;
const k_seed = /^seed_\d+$/;
/** the record of TrialsFolder */
export const k_trials = 'trials.json';

/** What a folder of trainings is of: one, each seed in a folder of its own, or a grid and tests (TrialsFolder). */
export type RunKind = 'one' | 'seeds' | 'trials';
const k_shown: Readonly<Record<RunKind, string>> = {
  one: 'one training',
  seeds: 'trainings with several seeds',
  trials: 'the trainings of a grid or of tests',
};

export interface RunWays {
  resume: boolean;
  force: boolean;
}

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

  /**
   * @throws CraneError E_EXISTS when a training is here and neither `resume` nor `force` says what to do with it, or it is of another
   * kind; whatever they say for the run.json of something else
   */
  async checkFree({ resume, force }: RunWays, kind: RunKind = 'one'): Promise<void> {
    const { kinds, ofOne } = await this.#found();
    const first = kinds[0];
    if (first === undefined) return;
    // The trainings of a grid are too many to be taken away for one.
    if (first === 'trials' ? kind !== first : resume && !kinds.includes(kind))
      throw new CraneError('E_EXISTS', `${this.path}: holds ${k_shown[first]}, not ${k_shown[kind]}`, {
        hint: `choose another --out${first === 'trials' ? '' : ', or start anew with --force alone'}`,
      });
    // Its prompts would be taken for those of several. These are hours of work: nobody is told to start anew.
    if (resume && kind !== 'one' && ofOne.length > 0)
      throw new CraneError('E_EXISTS', `${this.path}: holds files of one training beside ${k_shown[kind]}`, {
        hint: `move ${ofOne.join(', ')} elsewhere, then go on with --resume`,
      });
    if (!resume && !force) throw this.isTaken();
  }

  /**
   * Records tell most, so they come first; folders of seeds have none until all are done.
   * @returns what lies here, and the files that only one training has
   */
  async #found(): Promise<{ kinds: RunKind[]; ofOne: string[] }> {
    const names: string[] = (await readdir(this.path).catch(() => [])).sort();
    const has = (path: string) => names.includes(basename(path));
    const record = has(this.record) ? await kindOfRecord(this.record) : undefined;
    // Hours of work beside it must not be done again for a test's record.
    const hasSeveral = has(k_trials) || names.some((name) => k_seed.test(name));
    if (record === 'other')
      throw new CraneError('E_EXISTS', `${this.path}: run.json there is not that of a training`, {
        hint: hasSeveral
          ? 'move run.json and what else is of a test elsewhere, then go on with --resume'
          : 'choose another --out',
      });
    const single = [this.state, this.prompts, ...(record === 'one' ? [this.record] : [])].map((path) =>
      basename(path),
    );
    const ofOne = names.filter((name) => k_checkpoint.test(name) || single.includes(name));
    const kinds: RunKind[] = [];
    if (has(k_trials)) kinds.push('trials');
    if (ofOne.length > 0 && record !== 'seeds') kinds.push('one');
    if (record === 'seeds' || names.some((name) => k_seed.test(name))) kinds.push('seeds');
    if (kinds.length === 0 && has(this.report)) kinds.push('one');
    return { kinds, ofOne };
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
