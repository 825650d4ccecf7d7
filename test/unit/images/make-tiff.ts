/** Writes small TIFFs with any tags, for forms that no picture library writes. */
import { deflateSync } from 'node:zlib';

export interface Page {
  width: number;
  height: number;
  /** of each strip, as stored */
  strips: readonly Uint8Array[];
  rowsPerStrip?: number;
  /** the strips are tiles of this size */
  tile?: { width: number; height: number };
  bits?: readonly number[];
  photometric?: number;
  samples?: number;
  /** further tags, or others in place of those above: SHORTs, or doubles where a value is no whole number */
  tags?: Readonly<Record<number, readonly number[]>>;
  /** tag Software */
  software?: string;
  /** of the first page, for all: numbers of the directories begin with their highest byte; the strips are stored as they are */
  isBigEndian?: boolean;
}

/** Of what is marked, as Python's tifffile writes a boolean array: true is a bit of 1, and white is 0 by the tag. */
export function booleanTiff(width: number, height: number, isMarked: (x: number, y: number) => boolean) {
  const bits = Array.from({ length: width * height }, (_, at) =>
    Number(isMarked(at % width, Math.floor(at / width))),
  );
  const strips = [packed(bits, 1, width)];
  return makeTiff({ width, height, bits: [1], photometric: 0, strips, software: 'tifffile.py' });
}

const k_software = 305;
/** Places in the file and lengths, of strips and tiles. */
const k_longs = new Set([273, 279, 324, 325]);

export function makeTiff(...pages: readonly Page[]): Buffer {
  const isBig = pages[0]?.isBigEndian === true;
  const parts: Buffer[] = [Buffer.from(isBig ? 'MM\0*' : 'II*\0'), Buffer.alloc(4)];
  let end = 8;
  let pointer = 4;
  const file = () => Buffer.concat(parts);
  const pointers: [number, number][] = [];
  for (const page of pages) {
    const offsets: number[] = [];
    for (const strip of page.strips) {
      offsets.push(end);
      parts.push(Buffer.from(strip));
      end += strip.length;
    }
    const { entries, values } = directoryOf(page, offsets, end, isBig);
    parts.push(values);
    end += values.length;
    pointers.push([pointer, end]);
    parts.push(entries);
    pointer = end + entries.length - 4;
    end += entries.length;
  }
  const bytes = file();
  for (const [at, to] of pointers) put(bytes, to, at, 4, isBig);
  return bytes;
}

function put(bytes: Buffer, value: number, at: number, size: number, isBig: boolean): void {
  if (size === 8) isBig ? bytes.writeDoubleBE(value, at) : bytes.writeDoubleLE(value, at);
  else if (isBig) bytes.writeUIntBE(value, at, size);
  else bytes.writeUIntLE(value, at, size);
}

function directoryOf(
  page: Page,
  offsets: number[],
  start: number,
  isBig: boolean,
): { entries: Buffer; values: Buffer } {
  const {
    width,
    height,
    strips,
    rowsPerStrip = height,
    bits = [8],
    photometric = 1,
    samples = bits.length,
    software,
    tile,
  } = page;
  const byteCounts = strips.map((strip) => strip.length);
  const tags: Record<number, readonly number[]> = {
    256: [width],
    257: [height],
    258: bits,
    259: [1],
    262: [photometric],
    277: [samples],
    ...(tile
      ? { 322: [tile.width], 323: [tile.height], 324: offsets, 325: byteCounts }
      : { 273: offsets, 278: [rowsPerStrip], 279: byteCounts }),
    ...page.tags,
  };
  const values: Buffer[] = [];
  let end = start;
  const texts = software === undefined ? {} : { [k_software]: [...Buffer.from(`${software}\0`)] };
  const fields = Object.entries({ ...tags, ...texts }).map(([tag, numbers]) => {
    const isText = Number(tag) === k_software;
    const isWhole = numbers.every(Number.isInteger);
    const isLong = isWhole && (k_longs.has(Number(tag)) || numbers.some((value) => value > 65535));
    const size = isText ? 1 : isWhole ? (isLong ? 4 : 2) : 8;
    const bytes = Buffer.alloc(Math.max(4, numbers.length * size));
    numbers.forEach((value, at) => {
      put(bytes, value, at * size, size, isBig);
    });
    const field = Buffer.alloc(12);
    put(field, Number(tag), 0, 2, isBig);
    put(field, isText ? 2 : isWhole ? (isLong ? 4 : 3) : 12, 2, 2, isBig);
    put(field, numbers.length, 4, 4, isBig);
    if (bytes.length <= 4) bytes.copy(field, 8);
    else {
      put(field, end, 8, 4, isBig);
      values.push(bytes);
      end += bytes.length;
    }
    return field;
  });
  const count = Buffer.alloc(2);
  put(count, fields.length, 0, 2, isBig);
  return { entries: Buffer.concat([count, ...fields, Buffer.alloc(4)]), values: Buffer.concat(values) };
}

/** First bit first, rows beginning at whole bytes. */
export function packed(values: readonly number[], bits: number, perRow: number): Uint8Array {
  const rows: number[] = [];
  for (let row = 0; row < values.length; row += perRow) {
    const text = values
      .slice(row, row + perRow)
      .map((value) => value.toString(2).padStart(bits, '0'))
      .join('');
    for (let at = 0; at < text.length; at += 8)
      rows.push(Number.parseInt(text.slice(at, at + 8).padEnd(8, '0'), 2));
  }
  return Uint8Array.from(rows);
}

export function bytesOf(
  values: Uint16Array | Int16Array | Uint32Array | Float32Array | Float64Array | Int8Array,
): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Codes of 9 bits alone: the table is cleared before it needs more. */
export function lzwed(bytes: Uint8Array): Uint8Array {
  const codes: number[] = [];
  bytes.forEach((byte, at) => {
    if (at % 200 === 0) codes.push(256);
    codes.push(byte);
  });
  return packed([...codes, 257], 9, codes.length + 1);
}

export const deflated = (bytes: Uint8Array): Uint8Array => deflateSync(bytes);
