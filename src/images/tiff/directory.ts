/** The directories of a TIFF, classic or big: tags with their numbers. Hostile input until it is checked. */
import { CraneError } from '../../errors.js';
import { inSlices } from '../in-slices.js';
import { tags } from './tags.js';

/**
 * Numbers by the tag, of those that mean something here (tags.ts); of Software the bytes of its text. Where they cannot be read one
 * number stands for them that is none (NaN).
 */
export type TiffDirectory = ReadonlyMap<number, readonly number[]>;

export interface Tiff {
  littleEndian: boolean;
  /** in the order of the file; those below a directory (tag SubIFDs) are not among them */
  directories: readonly TiffDirectory[];
}

/** Gives `length` bytes at `position`, fewer at the end of the file. */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array>;

const k_mostDirectories = 4096;
const k_mostEntries = 4096;
/** Numbers of all tags together, and their entries: the strips of a picture of two million rows. All may point at the same bytes. */
const k_mostNumbers = 1 << 22;

interface FieldType {
  bytes: number;
  read(view: DataView, at: number, little: boolean): number;
}

const k_text = 2;
const k_wanted: ReadonlySet<number> = new Set(Object.values(tags));
const k_unreadable: readonly number[] = [Number.NaN];
const k_mostTextBytes = 256;

const k_types: Readonly<Record<number, FieldType>> = {
  1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  [k_text]: { bytes: 1, read: (view, at) => view.getUint8(at) },
  3: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  5: { bytes: 8, read: (view, at, little) => view.getUint32(at, little) / view.getUint32(at + 4, little) },
  6: { bytes: 1, read: (view, at) => view.getInt8(at) },
  8: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  9: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  10: { bytes: 8, read: (view, at, little) => view.getInt32(at, little) / view.getInt32(at + 4, little) },
  11: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  12: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  13: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  16: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  17: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  18: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};

/** @throws CraneError E_IMAGE_DECODE without the file's name */
export async function readDirectories(read: ReadBytes): Promise<Tiff> {
  const head = await bytesAt(read, 0, 8);
  if (!head) throw damaged('it ends inside its header');
  const littleEndian = head.getUint8(0) === 0x49;
  const isBig = head.getUint16(2, littleEndian) === 43;
  const reader = new DirectoryReader(read, littleEndian, isBig);
  const first = isBig ? await bytesAt(read, 8, 8) : head;
  if (!first) throw damaged('it ends inside its header');
  let next = isBig ? Number(first.getBigUint64(0, littleEndian)) : first.getUint32(4, littleEndian);
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  while (next !== 0) {
    if (seen.has(next)) throw damaged('its directories lead in a circle');
    if (directories.length === k_mostDirectories)
      throw damaged(`it has over ${k_mostDirectories} directories`);
    seen.add(next);
    const found = await reader.directoryAt(next);
    // Some writers leave rubbish where the chain should end: the pages before it are whole.
    if (found === undefined && directories.length > 0) break;
    if (found === undefined) throw damaged('it ends inside its directory');
    directories.push(found.directory);
    next = found.next;
  }
  if (directories.length === 0) throw damaged('it has no directory');
  return { littleEndian, directories };
}

class DirectoryReader {
  readonly #read: ReadBytes;
  readonly #littleEndian: boolean;
  readonly #isBig: boolean;
  #left = k_mostNumbers;

  constructor(read: ReadBytes, littleEndian: boolean, isBig: boolean) {
    this.#read = read;
    this.#littleEndian = littleEndian;
    this.#isBig = isBig;
  }

  /** undefined: there is none */
  async directoryAt(start: number): Promise<{ directory: TiffDirectory; next: number } | undefined> {
    const [read, little, isBig] = [this.#read, this.#littleEndian, this.#isBig];
    const countBytes = isBig ? 8 : 2;
    const entryBytes = isBig ? 20 : 12;
    const counted = await bytesAt(read, start, countBytes);
    if (!counted) return undefined;
    const entries = isBig ? Number(counted.getBigUint64(0, little)) : counted.getUint16(0, little);
    const nextBytes = isBig ? 8 : 4;
    const table =
      entries <= k_mostEntries && (await bytesAt(read, start + countBytes, entries * entryBytes + nextBytes));
    if (!table) return undefined;
    this.#count(entries);
    const directory = new Map<number, readonly number[]>();
    for (let at = 0; at < entries * entryBytes; at += entryBytes) {
      const tag = table.getUint16(at, little);
      const numbers = k_wanted.has(tag) ? await this.#numbers(tag, table, at) : undefined;
      if (numbers) directory.set(tag, numbers);
    }
    const end = entries * entryBytes;
    return {
      directory,
      next: isBig ? Number(table.getBigUint64(end, little)) : table.getUint32(end, little),
    };
  }

  /** @throws CraneError E_IMAGE_DECODE where it is more than a picture has */
  #count(numbers: number): void {
    this.#left -= numbers;
    if (this.#left < 0) throw damaged(`its directories hold over ${k_mostNumbers} numbers`);
  }

  /** undefined: bytes that are not ours to hold */
  async #numbers(tag: number, table: DataView, at: number): Promise<readonly number[] | undefined> {
    const [little, isBig] = [this.#littleEndian, this.#isBig];
    // Bytes of no type: never held, so one number stands for all of them.
    if (tag === tags.profile) return [1];
    const typeNumber = table.getUint16(at + 2, little);
    const type = k_types[typeNumber];
    const isSoftware = tag === tags.software;
    if (isSoftware && typeNumber !== k_text) return undefined;
    if (!type || (typeNumber === k_text && !isSoftware)) return k_unreadable;
    const count = isBig ? Number(table.getBigUint64(at + 4, little)) : table.getUint32(at + 4, little);
    const inline = at + (isBig ? 12 : 8);
    const bytes = count * type.bytes;
    const isInline = bytes <= (isBig ? 8 : 4);
    const isBlob = !isInline && type.bytes === 1 && !(isSoftware && count <= k_mostTextBytes);
    if (isBlob) return undefined;
    if (count > k_mostNumbers) return k_unreadable;
    this.#count(count);
    const offset = isBig ? Number(table.getBigUint64(inline, little)) : table.getUint32(inline, little);
    const values = isInline ? table : await bytesAt(this.#read, offset, bytes);
    if (!values) return k_unreadable;
    const from = isInline ? inline : 0;
    const numbers = new Array<number>(count);
    await inSlices(count, (first, end) => {
      for (let index = first; index < end; index++)
        numbers[index] = type.read(values, from + index * type.bytes, little);
    });
    return numbers;
  }
}

/** undefined: the file ends before */
async function bytesAt(read: ReadBytes, position: number, length: number): Promise<DataView | undefined> {
  const bytes = Number.isSafeInteger(position) ? await read(position, length) : new Uint8Array();
  if (bytes.length < length) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function damaged(what: string): CraneError {
  return new CraneError('E_IMAGE_DECODE', `damaged TIFF: ${what}`);
}
