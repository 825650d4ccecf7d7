/**
 * The lines of a list of paths, as they come: UTF-8 or UTF-16, parted by line breaks or, as `find -print0` does it, by zero
 * characters. A path that is no UTF-8 comes as its bytes.
 */
import { CraneError } from '../errors.js';
import { encodingOf, k_textHead } from '../files/text.js';
import type { AnyPath } from '../scan/list-folder.js';

const k_newLine = 0x0a;

/** Empty lines are left out. @throws CraneError E_TEXT_ENCODING, and whatever the stream throws */
export async function* listedPaths(stream: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<AnyPath> {
  const chunks = stream[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let isDone = false;
  // A line break tells as much as a long head, and a slow source must not be waited for.
  while (!isDone && head.length < k_textHead && !head.includes(k_newLine) && !head.includes(0)) {
    const next = await chunks.next();
    isDone = next.done === true;
    if (!next.done) head = Buffer.concat([head, next.value]);
  }
  const encoding = encodingOf(head);
  const rest = async function* () {
    yield head;
    while (!isDone) {
      const next = await chunks.next();
      if (next.done) return;
      yield Buffer.from(next.value);
    }
  };
  const bytes = encoding === 'utf-8' ? rest() : asUtf8(rest(), encoding);
  yield* parted(bytes, name);
}

async function* asUtf8(chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}

async function* parted(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<AnyPath> {
  /** what has come of a line: looked through once, joined once */
  let held: Buffer[] = [];
  let heldBytes = 0;
  // What the first path ends with parts them all: names may hold line breaks, but no zeros.
  let separator: number | undefined;
  let isFirst = true;
  const toPath = (line: Buffer): AnyPath | undefined => {
    const start = isFirst && line.subarray(0, 3).equals(k_mark) ? 3 : 0;
    isFirst = false;
    const end = separator !== 0 && line.at(-1) === 0x0d ? line.length - 1 : line.length;
    const path = line.subarray(start, end);
    if (path.includes(0)) {
      throw new CraneError('E_TEXT_ENCODING', `${name}: zero characters within its lines`, {
        hint: 'part all paths by line breaks, or all by zero characters as find -print0 does',
      });
    }
    const text = path.toString('utf8');
    if (text.trim() === '') return undefined;
    return Buffer.from(text).equals(path) ? text : Buffer.from(path);
  };
  for await (const chunk of chunks) {
    separator ??= firstSeparator(chunk);
    let from = 0;
    for (
      let at = separator === undefined ? -1 : chunk.indexOf(separator);
      at >= 0;
      at = chunk.indexOf(separator!, from)
    ) {
      const path = toPath(Buffer.concat([...held, chunk.subarray(from, at)]));
      held = [];
      heldBytes = 0;
      from = at + 1;
      if (path !== undefined) yield path;
    }
    held.push(chunk.subarray(from));
    heldBytes += chunk.length - from;
    if (heldBytes > k_longest) throw tooLong(name);
  }
  const last = heldBytes === 0 ? undefined : toPath(Buffer.concat(held));
  if (last !== undefined) yield last;
}

function firstSeparator(chunk: Buffer): number | undefined {
  const [zero, newLine] = [chunk.indexOf(0), chunk.indexOf(k_newLine)];
  if (zero < 0) return newLine < 0 ? undefined : k_newLine;
  return newLine < 0 || zero < newLine ? 0 : k_newLine;
}

/** As in a manifest: a line may hold a picture as data. */
const k_longest = 64 * 2 ** 20;

function tooLong(name: string): CraneError {
  return new CraneError('E_TEXT_ENCODING', `${name}: a line is longer than 64 MiB`, {
    hint: 'a list has one path on each line',
  });
}

const k_mark = Buffer.from([0xef, 0xbb, 0xbf]);
