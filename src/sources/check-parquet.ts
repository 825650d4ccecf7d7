/**
 * What is looked at in a table before its values are read, since the reader takes numbers of the file at their word: a run or a page
 * that claims more values than there are would fill the memory, or leave values out without a word. Column by column, page by page:
 * counts agree, lengths stay inside, indexes are in the dictionary, checksums are right where there are any.
 */
import { crc32 } from 'node:zlib';
import type { Compressors, FileMetaData, PageHeader, RowGroup, SchemaTree } from 'hyparquet';

/** Of the reader's own parts. */
export interface TableParts {
  schemaOf(metadata: FileMetaData): SchemaTree;
  headerOf(reader: Reader): PageHeader;
  decompress: (bytes: Uint8Array, size: number, codec: never, compressors: Compressors) => Uint8Array;
  unpackDeltas(reader: Reader, count: number, output: Int32Array): void;
  compressors: Compressors;
}

interface Reader {
  view: DataView<ArrayBuffer>;
  offset: number;
}

export interface TextColumn {
  name: string;
  isNullable: boolean;
}

/** Rows of a group are held together. Writers make groups of 10,000 to a million. */
export const k_mostGroupRows = 2 ** 23;
/** of a column of a group, decompressed */
const k_mostBytes = 2 ** 30;
/** Wider, no index of a dictionary of this size would be. */
const k_mostIndexBits = 23;
/** An element of DELTA_BINARY_PACKED takes so many, as the format has it. */
const k_deltaBlock = 128;
const k_mostDeltaBlock = 2 ** 16;
/** Packed values come in groups of eight, and DuckDB writes whole groups of 32: behind the last there may be some that nobody asks for. */
const k_mostFilled = 511;

function need(isRight: boolean, message: string): asserts isRight {
  if (!isRight) throw new Error(message);
}

/** The columns of these names that are there. @throws Error what is wrong */
export function textColumns(
  metadata: FileMetaData,
  names: readonly string[],
  parts: TableParts,
): TextColumn[] {
  const { children } = parts.schemaOf(metadata);
  checkNames(metadata);
  const columns = names.flatMap((name) => {
    const found = children.filter(({ element }) => element.name === name);
    need(found.length <= 1, `two columns are called ${name}`);
    const [column] = found;
    if (!column) return [];
    const { element } = column;
    need(
      column.children.length === 0 && element.repetition_type !== 'REPEATED',
      `column ${name}: expected text, not lists or groups`,
    );
    return [{ name, isNullable: element.repetition_type === 'OPTIONAL' }];
  });
  const rows = metadata.row_groups.reduce((sum, group) => sum + BigInt(group.num_rows), 0n);
  need(rows === BigInt(metadata.num_rows), 'its groups of rows have not as many as the table');
  for (const { num_rows: count } of metadata.row_groups) {
    need(count >= 0, 'a group of rows has a negative number of them');
    need(count <= k_mostGroupRows, `a group of ${count} rows, at most ${k_mostGroupRows} are read at once`);
  }
  return columns;
}

/** A damaged name would be a column that is not there: both places that name it agree. */
function checkNames({ schema, row_groups: groups }: FileMetaData): void {
  const leaves = schema.filter(({ type }) => type !== undefined).map(({ name }) => name);
  const parents = schema.reduce((sum, { num_children: children = 0 }) => sum + children, 0);
  need(parents === schema.length - 1, 'its columns are not those that it counts');
  for (const { columns } of groups) {
    need(columns.length === leaves.length, 'a group of rows has not every column');
    for (const [each, { meta_data: meta }] of columns.entries())
      need(meta?.path_in_schema.at(-1) === leaves[each], 'a group of rows has other columns than the table');
  }
}

/** @param slice bytes of the file; @throws Error what is wrong */
export async function checkGroup(
  { columns: chunks, num_rows: rows }: RowGroup,
  columns: readonly TextColumn[],
  slice: (start: number, end: number) => Promise<ArrayBuffer>,
  parts: TableParts,
): Promise<void> {
  for (const column of columns) {
    const metas = chunks.flatMap(({ meta_data: meta }) =>
      meta?.path_in_schema[0] === column.name ? [meta] : [],
    );
    const [meta, second] = metas;
    need(
      meta !== undefined && second === undefined,
      `column ${column.name} is not once in every group of rows`,
    );
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const bytes = await slice(start, start + Number(meta.total_compressed_size));
    const count = new ChunkCheck(bytes, column, meta.codec as never, meta.type, Number(rows), parts).run();
    need(
      count === Number(rows) && BigInt(meta.num_values) === BigInt(rows),
      `column ${column.name}: ${count} values for ${rows} rows`,
    );
  }
}

class ChunkCheck {
  readonly #reader: Reader;
  #dictionary: number | undefined;
  #bytes = 0;
  #values = 0;

  constructor(
    readonly bytes: ArrayBuffer,
    readonly column: TextColumn,
    readonly codec: never,
    readonly type: string,
    readonly rows: number,
    readonly parts: TableParts,
  ) {
    this.#reader = { view: new DataView(bytes), offset: 0 };
  }

  /** @returns values, of which some may be null */
  run(): number {
    const reader = this.#reader;
    while (reader.offset < this.bytes.byteLength) {
      const header = this.parts.headerOf(reader);
      const { compressed_page_size: size, crc } = header;
      need(size >= 0 && size <= this.bytes.byteLength - reader.offset, 'a page is longer than its column');
      const page = new Uint8Array(this.bytes, reader.offset, size);
      need(crc === undefined || crc32(page) === crc >>> 0, 'a page is not what its checksum says');
      reader.offset += size;
      this.#page(header, page);
    }
    return this.#values;
  }

  #page(header: PageHeader, page: Uint8Array): void {
    const { dictionary_page_header: words, data_page_header: plain, data_page_header_v2: second } = header;
    if (header.type === 'DICTIONARY_PAGE' && words) {
      need(this.#dictionary === undefined && this.#values === 0, 'a dictionary stands where none may be');
      need(words.num_values >= 0 && words.num_values <= k_mostGroupRows, 'a dictionary has no such size');
      const bytes = this.#decompressed(page, header.uncompressed_page_size);
      this.#plain(bytes, words.num_values);
      this.#dictionary = words.num_values;
    } else if (header.type === 'DATA_PAGE' && plain) {
      const bytes = this.#decompressed(page, header.uncompressed_page_size);
      const nulls = this.#count(plain.num_values);
      let at = 0;
      let count = plain.num_values;
      if (nulls) {
        need(plain.definition_level_encoding === 'RLE', 'levels of a form that is no longer written');
        need(bytes.length >= 4, 'a page ends too early');
        const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
        need(length <= bytes.length - 4, 'levels are longer than their page');
        count = present(bytes.subarray(4, 4 + length), plain.num_values);
        at = 4 + length;
      }
      this.#valuesOf(bytes.subarray(at), plain.encoding, count);
    } else if (header.type === 'DATA_PAGE_V2' && second) {
      const { definition_levels_byte_length: levels, repetition_levels_byte_length: others } = second;
      need(others === 0 && levels >= 0 && levels <= page.length, 'levels are longer than their page');
      const nulls = this.#count(second.num_values);
      const count = nulls ? present(page.subarray(0, levels), second.num_values) : second.num_values;
      need(nulls || levels === 0, 'a column without nulls has levels');
      need(
        second.num_rows === second.num_values && count === second.num_values - second.num_nulls,
        'a page miscounts its nulls',
      );
      const rest = page.subarray(levels);
      const bytes =
        second.is_compressed === false
          ? rest
          : this.#decompressed(rest, header.uncompressed_page_size - levels);
      this.#valuesOf(bytes, second.encoding, count);
    } else throw new Error('a page of an unknown kind');
  }

  /** @returns whether some may be null */
  #count(values: number): boolean {
    need(values >= 0 && values <= this.rows - this.#values, 'a page has more values than its group has rows');
    this.#values += values;
    return this.column.isNullable;
  }

  #decompressed(page: Uint8Array, size: number): Uint8Array {
    need(size >= 0 && this.#bytes + size <= k_mostBytes, 'a column is larger than 1 GiB in a group of rows');
    this.#bytes += size;
    return this.parts.decompress(page, size, this.codec, this.parts.compressors);
  }

  #valuesOf(bytes: Uint8Array, encoding: string, count: number): void {
    if (count === 0) return;
    need(this.type === 'BYTE_ARRAY', `expected text, found ${this.type}`);
    if (encoding === 'PLAIN') this.#plain(bytes, count);
    else if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
      const words = this.#dictionary;
      need(words !== undefined, 'there is no dictionary');
      const bits = bytes[0] ?? 255;
      need(bits <= k_mostIndexBits, 'an index of the dictionary has no such width');
      const rest = eachRun(bytes.subarray(1), bits, count, (value) =>
        need(value < words, 'an index beyond the dictionary'),
      );
      need(rest === 0, 'values do not fill their page');
    } else if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' || encoding === 'DELTA_BYTE_ARRAY') {
      const reader = { view: viewOf(bytes), offset: 0 };
      const prefixes = encoding === 'DELTA_BYTE_ARRAY' ? this.#deltas(reader, count) : undefined;
      const lengths = this.#deltas(reader, count);
      checkDeltas(lengths, prefixes, bytes.length - reader.offset);
    } else throw new Error(`text in the encoding ${encoding}`);
  }

  #deltas(reader: Reader, count: number): Int32Array {
    const at = { ...reader };
    const [block, parts, values] = [varint(at), varint(at), varint(at)];
    const isRight =
      block > 0 &&
      block <= k_mostDeltaBlock &&
      block % k_deltaBlock === 0 &&
      parts > 0 &&
      (block / parts) % 32 === 0;
    need(isRight && values === count, 'lengths of no such form');
    const output = new Int32Array(count);
    this.parts.unpackDeltas(reader, count, output);
    return output;
  }

  /** Each has its length before it. */
  #plain(bytes: Uint8Array, count: number): void {
    // A column of nulls may be of any type.
    need(count === 0 || this.type === 'BYTE_ARRAY', `expected text, found ${this.type}`);
    const view = viewOf(bytes);
    let at = 0;
    for (let each = 0; each < count; each++) {
      need(at + 4 <= bytes.length, 'a page ends too early');
      at += 4 + view.getUint32(at, true);
    }
    need(at === bytes.length, 'values do not fill their page');
  }
}

function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

function checkDeltas(lengths: Int32Array, prefixes: Int32Array | undefined, bytes: number): void {
  let [stored, whole, before] = [0, 0, 0];
  for (const [each, length] of lengths.entries()) {
    const prefix = prefixes?.[each] ?? 0;
    need(length >= 0 && prefix >= 0 && prefix <= before, 'a text of no such length');
    before = prefix + length;
    stored += length;
    whole += before;
  }
  need(stored === bytes, 'values do not fill their page');
  need(whole <= k_mostBytes, 'a column is larger than 1 GiB in a group of rows');
}

/** @returns how many of so many levels of one bit say that a value is there */
function present(bytes: Uint8Array, count: number): number {
  let sum = 0;
  eachRun(bytes, 1, count, (level, times) => {
    sum += level * times;
  });
  return sum;
}

/** Runs and packed groups of eight, as far as there are values. @param bits 0 to 23; @returns bytes behind them */
function eachRun(
  bytes: Uint8Array,
  bits: number,
  count: number,
  take: (value: number, times: number) => void,
): number {
  const reader = { view: viewOf(bytes), offset: 0 };
  for (let seen = 0; seen < count; ) {
    const head = varint(reader);
    const times = head % 2 === 1 ? ((head - 1) / 2) * 8 : head / 2;
    need(times > 0, 'a run of no values');
    const most = count - seen + (head % 2 === 1 ? k_mostFilled : 0);
    need(times <= most, 'a run of more values than there are');
    if (head % 2 === 1) {
      const length = (times / 8) * bits;
      need(length <= bytes.length - reader.offset, 'a page ends too early');
      unpack(
        bytes.subarray(reader.offset, reader.offset + length),
        bits,
        Math.min(times, count - seen),
        take,
      );
      reader.offset += length;
    } else {
      let value = 0;
      const width = Math.ceil(bits / 8);
      need(width <= bytes.length - reader.offset, 'a page ends too early');
      for (let byte = 0; byte < width; byte++) value += bytes[reader.offset++]! * 256 ** byte;
      need(value < 2 ** bits, 'a value that has more bits than its run');
      take(value, times);
    }
    seen += times;
  }
  return bytes.length - reader.offset;
}

function unpack(
  bytes: Uint8Array,
  bits: number,
  count: number,
  take: (value: number, times: number) => void,
): void {
  let [held, width, at] = [0, 0, 0];
  const mask = 2 ** bits - 1;
  for (let each = 0; each < count; each++) {
    for (; width < bits; width += 8) held |= bytes[at++]! << width;
    take(held & mask, 1);
    held >>>= bits;
    width -= bits;
  }
}

/** LEB128 of at most 32 bits. */
function varint(reader: Reader): number {
  let value = 0;
  for (let byte = 0; byte < 5; byte++) {
    need(reader.offset < reader.view.byteLength, 'a page ends too early');
    const next = reader.view.getUint8(reader.offset++);
    value += (next & 0x7f) * 128 ** byte;
    if (next < 0x80) {
      need(value < 2 ** 32, 'a number of more than 32 bits');
      return value;
    }
  }
  throw new Error('a number of more than 32 bits');
}
