/** A line for each scored picture, appended as it comes. A line that a killed process did not finish is cut off. */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import { codedWriteError } from '../files/write-whole.js';
import { noteKinds, type PictureNote } from '../images/samples.js';

const count = z.int().nonnegative();

const noteSchema: z.ZodType<PictureNote> = z.strictObject({
  kind: z.enum(noteKinds),
  message: z.string(),
  bits: count.exactOptional(),
});

/** Written and read by this one list: a field that it lacks is none of the type, and of a file it is refused. */
const lineSchema = z.strictObject({
  /** position of the data set in the run, of the picture in the set */
  set: count,
  index: count,
  score: z.number(),
  mapMax: z.number(),
  width: count,
  height: count,
  /** label of the model */
  model: z.string(),
  /** as a result has it (engine/result.ts) */
  backgroundPatches: count.exactOptional(),
  /** what is odd about the picture */
  warnings: z.array(noteSchema).exactOptional(),
});

export type JournalLine = z.infer<typeof lineSchema>;

export class Journal {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #lines: Map<string, JournalLine>;

  private constructor(file: FileHandle, path: string, lines: Map<string, JournalLine>) {
    this.#file = file;
    this.#path = path;
    this.#lines = lines;
  }

  /** @throws CraneError E_IO_WRITE, E_IO_READ */
  static async open(path: string): Promise<Journal> {
    try {
      await makeFolder(dirname(path));
      const text = await readFile(path, 'utf8').catch(ifMissing);
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      const lines = new Map<string, JournalLine>();
      for (const [at, line] of whole.split('\n').slice(0, -1).entries()) {
        const parsed = parse(line, path, at + 1);
        lines.set(keyOf(parsed.set, parsed.index), parsed);
      }
      if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
      return new Journal(await open(path, 'a'), path, lines);
    } catch (thrown) {
      throw codedWriteError(path, thrown);
    }
  }

  find(set: number, index: number): JournalLine | undefined {
    return this.#lines.get(keyOf(set, index));
  }

  get size(): number {
    return this.#lines.size;
  }

  async append(line: JournalLine): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify(line)}\n`);
      this.#lines.set(keyOf(line.set, line.index), line);
    } catch (thrown) {
      throw codedWriteError(this.#path, thrown);
    }
  }

  async close(): Promise<void> {
    await this.#file.sync().catch(() => {});
    await this.#file.close();
  }
}

function keyOf(set: number, index: number): string {
  return `${set}/${index}`;
}

function ifMissing(thrown: NodeJS.ErrnoException): string {
  if (thrown.code === 'ENOENT') return '';
  throw thrown;
}

function parse(line: string, path: string, number: number): JournalLine {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new CraneError('E_IO_READ', `${path}: line ${number} is no result`, {
      hint: 'start anew with --force',
      cause,
    });
  }
}
