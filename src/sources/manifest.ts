/**
 * A manifest names the pictures of a piece of work: JSON Lines, or Parquet with columns of the same names. `uri` is a path or an
 * address; `id` names the picture in results; `class`, `prompts`, `normals` are its own.
 */
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { firstFault } from '../files/first-fault.js';
import { linesOf } from '../files/line-file.js';
import { codedReadError } from '../files/open-file.js';
import { loadOptional } from '../files/optional-packages.js';
import { checkGroup, type TableParts, textColumns } from './check-parquet.js';

const text = z
  .string()
  .min(1)
  .refine((value) => !/\p{Cs}/u.test(value), 'expected characters, not half of one');
const row = z.strictObject({
  uri: text.refine((value) => !value.includes('\0'), 'expected a name without a zero character'),
  id: text.nullish(),
  class: text.nullish(),
  prompts: text.nullish(),
  normals: text.nullish(),
});

/** What a row says of its picture alone, by the names of the options. */
export interface OwnChoices {
  className?: string;
  prompts?: string;
  normals?: string;
}

export interface ManifestRow extends OwnChoices {
  uri: string;
  id?: string;
}

/** What is no text must not become another one without a word. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of a group of Parquet rows, so many are held at once. */
const k_rowsAtOnce = 10_000;

/** Row by row, in constant memory. @throws CraneError E_DATA_META naming row and field, E_TEXT_ENCODING, E_INPUT_*, E_DEPENDENCY */
export async function* readManifest(path: string): AsyncGenerator<ManifestRow> {
  const rows = /\.parquet$/i.test(path) ? parquetRows(path) : jsonRows(path);
  let number = 0;
  for await (const value of rows) {
    number++;
    const { success, data, error } = row.safeParse(value);
    if (!success) {
      const why = firstFault(error);
      throw new CraneError('E_DATA_META', `${path}: row ${number}: ${why}`, {
        hint: 'a row has uri, and perhaps id, class, prompts, normals',
      });
    }
    const { uri, id, class: className, prompts, normals } = data;
    yield {
      uri,
      ...(id == null ? {} : { id }),
      ...(className == null ? {} : { className }),
      ...(prompts == null ? {} : { prompts }),
      ...(normals == null ? {} : { normals }),
    };
  }
}

const k_wanted = 'a manifest in JSON Lines or Parquet';

/** A row may hold a picture as data: of more it is told, and no more than that is held. */
const k_lineBytes = 64 * 2 ** 20;

async function* jsonRows(path: string): AsyncGenerator<unknown> {
  const tooLong = {
    bytes: k_lineBytes,
    error: (line: number) => new CraneError('E_DATA_META', `${path}: line ${line} is longer than 64 MiB`),
  };
  for await (const { text: line, number } of linesOf(path, tooLong, k_wanted)) {
    const text = decoded(line, path, number).replace(/^\ufeff/, '');
    if (text.trim() !== '') yield parsed(text, path, number);
  }
}

function decoded(line: Buffer, path: string, number: number): string {
  try {
    return utf8.decode(line);
  } catch (cause) {
    throw new CraneError('E_TEXT_ENCODING', `${path}: line ${number} is not UTF-8`, {
      hint: 'save it as UTF-8, for instance with iconv -f latin1 -t utf-8',
      cause,
    });
  }
}

function parsed(line: string, path: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new CraneError('E_DATA_META', `${path}: line ${number} is no JSON`, { cause });
  }
}

async function* parquetRows(path: string): AsyncGenerator<unknown> {
  const { hyparquet, parts } = await loadOptional(
    'a manifest in Parquet',
    ['hyparquet', 'hyparquet-compressors'],
    loadParquet,
  );
  const file = await open(path).catch((cause: unknown) => {
    throw codedReadError(path, cause, k_wanted);
  });
  try {
    const { size } = await file.stat();
    const slice = async (start: number, end = size) => {
      if (
        !Number.isSafeInteger(start) ||
        !Number.isSafeInteger(end) ||
        start < 0 ||
        end < start ||
        end > size
      )
        throw new Error('it names bytes that it does not have');
      const bytes = new Uint8Array(end - start);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) throw new Error('it became shorter while it was read');
        at += bytesRead;
      }
      return bytes.buffer;
    };
    const source = { byteLength: size, slice };
    const metadata = await hyparquet.parquetMetadataAsync(source);
    const columns = textColumns(metadata, Object.keys(row.shape), parts);
    const options = {
      file: source,
      metadata,
      columns: columns.map(({ name }) => name),
      compressors: parts.compressors,
      parsers: { stringFromBytes: (bytes: Uint8Array) => utf8.decode(bytes) },
    };
    let first = 0;
    for (const group of metadata.row_groups) {
      const groupEnd = first + Number(group.num_rows);
      await checkGroup(group, columns, slice, parts);
      for (; first < groupEnd; first += k_rowsAtOnce) {
        const rowEnd = Math.min(groupEnd, first + k_rowsAtOnce);
        yield* await hyparquet.parquetReadObjects({ ...options, rowStart: first, rowEnd });
      }
      first = groupEnd;
    }
  } catch (cause) {
    if (cause instanceof CraneError) throw cause;
    throw new CraneError('E_DATA_META', `${path}: not a table in Parquet: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await file.close();
  }
}

async function loadParquet() {
  const [hyparquet, { compressors: all }, { parquetHeader }, { decompressPage }, { deltaBinaryUnpack }] =
    await Promise.all([
      import('hyparquet'),
      import('hyparquet-compressors'),
      import('hyparquet/src/column.js'),
      import('hyparquet/src/datapage.js'),
      import('hyparquet/src/delta.js'),
    ]);
  // A page of nulls alone holds no byte, and that of LZ4 takes an empty block for a damaged one.
  const compressors = Object.fromEntries(
    Object.entries(all).map(([codec, decompress]) => [
      codec,
      (bytes: Uint8Array, size: number) => (size === 0 ? new Uint8Array() : decompress(bytes, size)),
    ]),
  );
  const parts: TableParts = {
    schemaOf: hyparquet.parquetSchema,
    headerOf: parquetHeader,
    decompress: decompressPage,
    unpackDeltas: deltaBinaryUnpack,
    compressors,
  };
  return { hyparquet, parts };
}
