/**
 * results.jsonl of an output folder. While a run goes on it is results.jsonl.partial, a line is appended for each
 * picture, and it gets its name when the run is complete: a file of that name is always whole.
 */
import { type FileHandle, open, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { claim } from '../files/folder-lock.js';
import { removeLeft } from '../files/left-files.js';
import { linesOf } from '../files/line-file.js';
import type { HeldLock } from '../files/lock-file.js';
import { makeFolder } from '../files/make-folder.js';
import { codedWriteError, exists, isThere } from '../files/write-whole.js';
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
  /** models of the earlier results that no input has taken yet: a name may stand in the file more than once */
  readonly #earlier: Map<string, (string | undefined)[]>;
  /** model label of the earlier results */
  readonly model: string | undefined;
  readonly #file: FileHandle;
  readonly #lock: HeldLock;

  private constructor(
    file: FileHandle,
    lock: HeldLock,
    readonly path: string,
    earlier: Earlier,
  ) {
    this.#file = file;
    this.#lock = lock;
    this.#earlier = earlier.done;
    this.model = earlier.model;
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
      if (resume && !(await isThere(partial)) && (await isThere(path))) await rename(path, partial);
      const earlier =
        resume && (await isThere(partial))
          ? await readEarlier(partial)
          : { done: new Map<string, (string | undefined)[]>(), model: undefined };
      const file = await open(partial, resume ? 'a' : 'w');
      return new ResultsFile(file, lock, path, earlier);
    } catch (thrown) {
      await lock?.release();
      throw codedWriteError(path, thrown);
    }
  }

  /** The result of this input that the file holds, if any; each answers for one input of its name. */
  takeDone(name: string): { model: string | undefined } | undefined {
    const models = this.#earlier.get(name);
    if (models === undefined || models.length === 0) return undefined;
    return { model: models.shift() };
  }

  async append(line: ResultLine): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    } catch (thrown) {
      throw codedWriteError(`${this.path}.partial`, thrown);
    }
  }

  /** Keeps the partial file, for --resume. */
  async interrupt(): Promise<void> {
    try {
      await this.#save();
    } finally {
      await this.#lock.release();
    }
  }

  /** The run is complete: the file gets its name. */
  async complete(): Promise<void> {
    try {
      await this.#save();
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

interface Earlier {
  done: Map<string, (string | undefined)[]>;
  model: string | undefined;
}

/** Reads the lines of an earlier run; a last line that was not finished is cut off. */
async function readEarlier(path: string): Promise<Earlier> {
  const done = new Map<string, (string | undefined)[]>();
  /** one text for each model, not for each line */
  const models = new Map<string, string>();
  let model: string | undefined;
  let goodBytes = 0;
  for await (const { text, number, at, bytes, isWhole } of linesOf(path)) {
    if (!isWhole) break;
    const result = parseLine(text.toString());
    if (!result) throw notAResult(path, number);
    const read = 'model' in result ? result.model : undefined;
    const own = read === undefined ? undefined : (models.get(read) ?? read);
    if (own !== undefined) models.set(own, own);
    const same = done.get(result.input);
    if (same) same.push(own);
    else done.set(result.input, [own]);
    model ??= own;
    goodBytes = at + bytes;
  }
  await truncate(path, goodBytes);
  return { done, model };
}

function parseLine(line: string): ResultLine | undefined {
  try {
    const parsed = JSON.parse(line) as ResultLine | null;
    return typeof parsed?.input === 'string' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function notAResult(path: string, line: number): CraneError {
  return new CraneError('E_IO_READ', `${path}: line ${line} is no result`, {
    hint: 'remove the line, or start anew with --force',
  });
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
