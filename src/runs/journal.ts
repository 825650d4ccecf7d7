/** A line for each scored picture, appended as it comes. A line that a killed process did not finish is cut off. */
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { jsonOf, LineFile } from '../files/line-file.js';
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
  /** of the map's values, little-endian; lines of earlier versions have none */
  mapCrc32: count.exactOptional(),
});

export type JournalLine = z.infer<typeof lineSchema>;

export class Journal {
  readonly #file: LineFile;
  readonly #path: string;
  readonly #lines: Map<string, JournalLine>;

  private constructor(file: LineFile, path: string, lines: Map<string, JournalLine>) {
    this.#file = file;
    this.#path = path;
    this.#lines = lines;
  }

  /** @throws CraneError E_IO_WRITE, E_IO_READ */
  static async open(path: string): Promise<Journal> {
    try {
      await makeFolder(dirname(path));
      const lines = new Map<string, JournalLine>();
      const file = await LineFile.open(path, ({ text, number }) => {
        const line = parse(text, path, number);
        lines.set(keyOf(line.set, line.index), line);
      });
      return new Journal(file, path, lines);
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
      const json = JSON.stringify(line);
      await this.#file.append(`{"crc32":${crc32(json)},"line":${json}}`);
      this.#lines.set(keyOf(line.set, line.index), line);
    } catch (thrown) {
      throw codedWriteError(this.#path, thrown);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function keyOf(set: number, index: number): string {
  return `${set}/${index}`;
}

function parse(line: Buffer, path: string, number: number): JournalLine {
  try {
    return lineSchema.parse(jsonOf(unsealed(line)));
  } catch (cause) {
    throw new CraneError('E_IO_READ', `${path}: line ${number} is no result, or was changed`, {
      hint: 'remove the line, and its picture is scored again; or start anew with --force',
      cause,
    });
  }
}

/** Lines of earlier versions have no checksum, and are taken as they are. @throws Error where it is that of another line */
function unsealed(line: Buffer): Buffer {
  const [head, crc] = /^\{"crc32":(\d{1,10}),"line":/.exec(line.toString('latin1', 0, 40)) ?? [];
  if (head === undefined) return line;
  const json = line.subarray(head.length, -1);
  if (crc32(json) !== Number(crc)) throw new Error('another checksum');
  return json;
}
