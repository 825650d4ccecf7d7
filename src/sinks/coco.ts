/** COCO's annotations of many pictures, as they come: docs/pictures.md "Regions for annotation tools". */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { isFailed } from '../engine/result.js';
import { CraneError } from '../errors.js';
import { codedWriteError } from '../files/write-whole.js';
import { cocoAnnotation, k_category, k_label } from './outline-files.js';
import type { ResultLine } from './result-line.js';
import { type ResultWriter, writeText } from './result-writer.js';

/** Pictures go on the stream; annotations, a list of their own, wait in a file, so that nothing grows with the number of pictures. */
export function coco(stream: Writable): ResultWriter {
  const waiting = new Spool();
  let images = 0;
  let annotations = 0;
  return {
    write: async (line) => {
      // Nobody looked at it: a picture without annotations would say that nothing was found.
      if (isFailed(line)) return;
      const regions = outlinedRegions(line);
      const { input: file_name, width, height } = line;
      const image = { id: ++images, file_name, width, height };
      await writeText(stream, `${images === 1 ? '{"images":[\n' : ',\n'}${JSON.stringify(image)}`);
      for (const { outline, ...region } of regions) {
        const annotation = cocoAnnotation(++annotations, images, region, outline);
        await waiting.add(`${annotations === 1 ? '' : ',\n'}${JSON.stringify(annotation)}`);
      }
    },
    end: async () => {
      try {
        await writeText(stream, `${images === 0 ? '{"images":[' : ''}],\n"annotations":[\n`);
        for await (const text of waiting.all()) await writeText(stream, text);
        const categories = [{ id: k_category, name: k_label }];
        await writeText(stream, `],\n"categories":${JSON.stringify(categories)}}\n`);
      } finally {
        await waiting.close();
      }
    },
    abandon: () => waiting.close(),
  };
}

/** @throws CraneError E_USAGE where the line's regions have no outlines */
function outlinedRegions({ input, regions }: Exclude<ResultLine, { error: unknown }>) {
  return (regions ?? [undefined]).map((region) => {
    if (region?.outline !== undefined) return { ...region, outline: region.outline };
    throw new CraneError('E_USAGE', `${input}: its result holds no outlines of regions`, {
      hint: 'outlines come with --format coco and --out; start anew with --force',
    });
  });
}

const k_held = 1 << 16;

/** Text that is read once, after all of it came; of more than a little in a file without a name, which goes with the process. */
class Spool {
  #held: string[] = [];
  #length = 0;
  #file: FileHandle | undefined;

  async add(text: string): Promise<void> {
    this.#held.push(text);
    this.#length += text.length;
    if (this.#length < k_held) return;
    try {
      this.#file ??= await nameless();
      await this.#file.appendFile(this.#held.join(''));
    } catch (thrown) {
      throw codedWriteError(tmpdir(), thrown);
    }
    this.#held = [];
    this.#length = 0;
  }

  async *all(): AsyncGenerator<string> {
    if (this.#file) yield* this.#file.createReadStream({ start: 0, encoding: 'utf8', autoClose: false });
    yield this.#held.join('');
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

async function nameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `crane-native.${randomBytes(8).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}
