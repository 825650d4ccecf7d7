/**
 * results.jsonl of an output folder. While a run goes on it is results.jsonl.partial, a line is appended for each
 * picture, and it gets its name when the run is complete: a file of that name is always whole.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { claim } from '../files/folder-lock.js';
import { removeLeft } from '../files/left-files.js';
import type { HeldLock } from '../files/lock-file.js';
import { makeFolder } from '../files/make-folder.js';
import { codedWriteError, exists, isThere } from '../files/write-whole.js';
import { EarlierResults, putInPlace, readEarlier } from './earlier-results.js';
import type { ResultLine } from './result-line.js';

export interface ResultsFileOptions {
  shard?: { index: number; count: number } | undefined;
  resume: boolean;
  overwrite: boolean;
}

export function resultsName(shard: ResultsFileOptions['shard']): string {
  return shard ? `results.${shard.index}-of-${shard.count}.jsonl` : 'results.jsonl';
}

export class ResultsFile {
  readonly #file: FileHandle;
  readonly #lock: HeldLock;
  /** whole results were gone on with, and nothing came of it yet */
  #isStillWhole: boolean;

  private constructor(
    file: FileHandle,
    lock: HeldLock,
    readonly path: string,
    readonly earlier: EarlierResults,
    isWhole: boolean,
  ) {
    this.#isStillWhole = isWhole;
    this.#file = file;
    this.#lock = lock;
  }

  /** Nobody else may write to it meanwhile. @throws CraneError E_EXISTS, E_IN_USE, E_IO_READ or E_IO_WRITE */
  static async open(folder: string, { shard, resume, overwrite }: ResultsFileOptions): Promise<ResultsFile> {
    const path = join(folder, resultsName(shard));
    const partial = `${path}.partial`;
    let lock: HeldLock | undefined;
    try {
      await makeFolder(folder);
      lock = await claim(path, `${path}.lock`);
      await removeLeft(folder);
      if (!resume && !overwrite) {
        await refuseResults(path);
      }
      const isWhole = resume && !(await isThere(partial)) && (await isThere(path));
      const isGoneOn = isWhole || (resume && (await isThere(partial)));
      const earlier = isGoneOn ? await readEarlier(isWhole ? path : partial) : new EarlierResults();
      if (isWhole) await rename(path, partial);
      const file = await open(partial, resume ? 'a' : 'w');
      return new ResultsFile(file, lock, path, earlier, isWhole);
    } catch (thrown) {
      await lock?.release();
      throw codedWriteError(path, thrown);
    }
  }

  async append(line: ResultLine): Promise<void> {
    this.#isStillWhole = false;
    try {
      await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    } catch (thrown) {
      throw codedWriteError(`${this.path}.partial`, thrown);
    }
    this.earlier.append(line);
  }

  /** Keeps the partial file, for --resume, unless it is empty; whole results to which nothing came get their name again. */
  async interrupt(): Promise<void> {
    try {
      await this.#save();
      if (this.#isStillWhole) await rename(`${this.path}.partial`, this.path);
      else if (this.earlier.lines === 0) await rm(`${this.path}.partial`, { force: true });
    } finally {
      await this.#lock.release();
    }
  }

  /** The run is complete: the file gets its name. */
  async complete(): Promise<void> {
    try {
      await this.#save();
      const { replaced } = this.earlier;
      if (replaced.size > 0) await putInPlace(`${this.path}.partial`, replaced);
      await rename(`${this.path}.partial`, this.path);
    } catch (thrown) {
      throw codedWriteError(this.path, thrown);
    } finally {
      await this.#lock.release();
    }
  }

  async #save(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (thrown) {
      throw codedWriteError(`${this.path}.partial`, thrown);
    } finally {
      await this.#file.close();
    }
  }
}

/** @throws CraneError E_EXISTS where results are, whole or of a run that was ended */
export async function refuseResults(path: string): Promise<void> {
  for (const taken of [path, `${path}.partial`]) if (await isThere(taken)) throw existsAlready(taken);
}

function existsAlready(path: string): CraneError {
  const { code, message } = exists(path);
  return new CraneError(code, message, {
    hint: 'go on with --resume, start anew with --force, or choose another --out',
  });
}
