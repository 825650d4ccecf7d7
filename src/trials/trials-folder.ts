/**
 * The folder of all trials. trials.json claims it and tells how each of them ended; it is written anew after each. What
 * decides where to go on are the folders of the trainings and tests themselves.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { claimFolder } from '../files/folder-lock.js';
import { removeLeft } from '../files/left-files.js';
import type { HeldLock } from '../files/lock-file.js';
import { codedWriteError, isThere, writeWhole } from '../files/write-whole.js';
import { k_trials, RunFolder, type RunWays } from '../train/run-folder.js';

const k_tables = ['table.csv', 'table.md', 'table.tex'] as const;
const k_kind = 'trials';

export class TrialsFolder {
  readonly #record: string;

  constructor(readonly path: string) {
    this.#record = join(path, k_trials);
  }

  /** Nobody else may work here until the lock is released. @throws CraneError E_IN_USE, E_IO_WRITE */
  async claim(): Promise<HeldLock> {
    const lock = await claimFolder(this.path).catch((thrown: unknown) => {
      throw codedWriteError(this.path, thrown);
    });
    await removeLeft(this.path);
    return lock;
  }

  /** @throws CraneError E_EXISTS when something is here and neither `resume` nor `force` says what to do with it, or it is none of trials */
  async checkFree(ways: RunWays): Promise<void> {
    const text = await readFile(this.#record, 'utf8').catch(() => undefined);
    if (text !== undefined && kindOf(text) !== k_kind)
      throw new CraneError('E_EXISTS', `${this.#record}: is not that of a grid or of several seeds`, {
        hint: 'choose another --out',
      });
    await new RunFolder(this.path).checkFree(ways, 'trials');
    if (ways.resume || ways.force) return;
    for (const name of ['cells', ...k_tables]) {
      if (await isThere(join(this.path, name)))
        throw new CraneError('E_EXISTS', `${this.path}: holds trainings already`, {
          hint: 'go on with --resume, start anew with --force, or choose another --out',
        });
    }
  }

  hasRecord(): Promise<boolean> {
    return isThere(this.#record);
  }

  /** A table that an earlier run wrote is none of this one. */
  async removeTables(): Promise<void> {
    for (const name of k_tables) await rm(join(this.path, name), { force: true });
  }

  /** No training has begun here. */
  async isBare(): Promise<boolean> {
    return !(await isThere(join(this.path, 'cells')));
  }

  async removeRecord(): Promise<void> {
    await rm(this.#record, { force: true });
  }

  write(record: object): Promise<void> {
    const text = `${JSON.stringify({ format: 1, kind: k_kind, ...record }, null, 1)}\n`;
    return writeWhole(this.#record, text, { overwrite: true });
  }

  async writeTables(tables: Readonly<Record<(typeof k_tables)[number], string>>): Promise<void> {
    for (const name of k_tables) await writeWhole(join(this.path, name), tables[name], { overwrite: true });
  }
}

function kindOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { kind?: unknown } | null)?.kind;
  } catch {
    return undefined;
  }
}
