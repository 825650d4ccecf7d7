/**
 * Files of lines that grow: a line is in one whole or not at all. What a full disk or a killed process left of one is cut off,
 * so that the next line never goes on in the middle of it.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { codedReadError } from './open-file.js';

/** Where a line lies, its end included. */
export interface LinePlace {
  at: number;
  bytes: number;
}

export interface FileLine extends LinePlace {
  /** without its end */
  text: Buffer;
  /** from 1 */
  number: number;
  /** false: the last one, which has no end */
  isWhole: boolean;
}

const k_newLine = 0x0a;
/** Far below what a text of JavaScript may have. */
const k_longest = 2 ** 28;

/**
 * Line by line: no more than one is held.
 * @param wanted what the file is to be
 * @throws CraneError E_INPUT_*, E_IO_READ, for a line that is too long too
 */
export async function* linesOf(
  path: string,
  tooLong: TooLong = lineTooLong(path),
  wanted?: string,
): AsyncGenerator<FileLine> {
  try {
    yield* readLines(path, tooLong);
  } catch (thrown) {
    throw thrown instanceof CraneError ? thrown : codedReadError(path, thrown, wanted);
  }
}

async function* readLines(path: string, tooLong: TooLong): AsyncGenerator<FileLine> {
  let held: Buffer[] = [];
  let bytes = 0;
  let at = 0;
  let number = 1;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(k_newLine); end >= 0; end = chunk.indexOf(k_newLine, from)) {
      const text = Buffer.concat([...held, chunk.subarray(from, end)]);
      const whole = text.length + 1;
      yield { text, number, at, bytes: whole, isWhole: true };
      held = [];
      bytes = 0;
      at += whole;
      from = end + 1;
      number++;
    }
    held.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > tooLong.bytes) throw tooLong.error(number);
  }
  if (bytes > 0) yield { text: Buffer.concat(held), number, at, bytes, isWhole: false };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of a line that is JSON. @throws SyntaxError, and TypeError for what is no UTF-8: it must not become another name without a word */
export function jsonOf(line: Uint8Array): unknown {
  return JSON.parse(utf8.decode(line));
}

export interface TooLong {
  bytes: number;
  error(line: number): CraneError;
}

function lineTooLong(path: string): TooLong {
  return {
    bytes: k_longest,
    error: (line) => new CraneError('E_IO_READ', `${path}: line ${line} is longer than 256 MiB`),
  };
}

/** A file of our own that nobody else writes to. */
export class LineFile {
  readonly #file: FileHandle;
  /** where the last whole line ends */
  #end: number;
  /** what a failed append left could not be cut off */
  #isTorn = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /**
   * Its folder is there; the file need not be.
   * @param onLine sees each whole line that it has; a last one without an end is cut off, unless onLine throws before
   * @throws CraneError E_IO_READ, what onLine throws, the file system's errors
   */
  static async open(path: string, onLine: (line: FileLine) => void): Promise<LineFile> {
    const file = await open(path, 'a+');
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new CraneError('E_IO_WRITE', `${path}: not a regular file`);
      let end = 0;
      for await (const line of linesOf(path)) {
        if (!line.isWhole) break;
        onLine(line);
        end = line.at + line.bytes;
      }
      if (end < stat.size) await file.truncate(end);
      return new LineFile(file, end);
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  /**
   * In the order of the calls. Where it fails the file is as it was before.
   * @param isSynced on the disk when it resolves
   * @throws the file system's errors
   */
  append(text: string, isSynced = false): Promise<LinePlace> {
    const work = this.#last.then(() => this.#append(Buffer.from(`${text}\n`), isSynced));
    this.#last = work.catch(() => {});
    return work;
  }

  async #append(line: Buffer, isSynced: boolean): Promise<LinePlace> {
    if (this.#isTorn) await this.#cut();
    const place = { at: this.#end, bytes: line.length };
    try {
      await this.#file.appendFile(line);
      if (isSynced) await this.#file.datasync();
    } catch (thrown) {
      this.#isTorn = true;
      await this.#cut().catch(() => {});
      throw thrown;
    }
    this.#end += line.length;
    return place;
  }

  async #cut(): Promise<void> {
    await this.#file.truncate(this.#end);
    this.#isTorn = false;
  }

  /** @throws the file system's errors */
  async read({ at, bytes }: LinePlace): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(bytes - 1), 0, bytes - 1, at);
    return buffer.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.sync().catch(() => {});
    await this.#file.close();
  }
}

/**
 * Appends a line to a file that others may write to as well, by its name, and has it on the disk. A beginning of this very line at
 * the end of the file, which an earlier try left, is cut off; anything else without an end is nobody's to cut: the line begins a new one.
 * @throws the file system's errors
 */
export async function appendLine(path: string, text: string): Promise<void> {
  const line = Buffer.from(`${text}\n`);
  // Not to be read: a pipe that is its own reader would take lines that nobody gets.
  const file = await open(path, 'a');
  try {
    // A pipe or a device has no end that could be looked at.
    if (!(await file.stat()).isFile()) return await file.appendFile(line);
    const isOpen = await endsInLine(path, file, line);
    try {
      await file.appendFile(isOpen ? Buffer.concat([Buffer.of(k_newLine), line]) : line);
      await file.datasync();
    } catch (thrown) {
      await endsInLine(path, file, line).catch(() => {});
      throw thrown;
    }
  } finally {
    await file.close();
  }
}

/** @returns whether the file's last line has no end, once a beginning of `line` was cut off there */
async function endsInLine(path: string, file: FileHandle, line: Buffer): Promise<boolean> {
  const { size } = await file.stat();
  const bytes = Math.min(size, line.length);
  const buffer = await readAt(path, size - bytes, bytes);
  const newLine = buffer.lastIndexOf(k_newLine);
  const rest = buffer.subarray(newLine + 1);
  if (rest.length === 0) return false;
  const isBegun = (newLine >= 0 || bytes === size) && line.subarray(0, rest.length).equals(rest);
  if (isBegun) await file.truncate(size - rest.length);
  return !isBegun;
}

async function readAt(path: string, at: number, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    return (await file.read(Buffer.alloc(bytes), 0, bytes, at)).buffer;
  } finally {
    await file.close();
  }
}
