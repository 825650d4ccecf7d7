/**
 * A manifest names the pictures of a piece of work: JSON Lines, or Parquet with columns of the same names. `uri` is a path or an
 * address; `id` names the picture in results; `class`, `prompts`, `normals` are its own.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { codedReadError } from '../files/open-file.js';
import { loadOptional } from '../files/optional-packages.js';

const text = z.string().min(1);
const row = z.strictObject({
  uri: text,
  id: text.nullish(),
  class: text.nullish(),
  prompts: text.nullish(),
  normals: text.nullish(),
});

export interface ManifestRow {
  uri: string;
  id?: string;
  className?: string;
  prompts?: string;
  normals?: string;
}

/** Of a group of Parquet rows, so many are held at once. */
const k_rowsAtOnce = 10_000;

/** Row by row, in constant memory. @throws CraneError E_DATA_META naming row and field, E_INPUT_*, E_DEPENDENCY */
export async function* readManifest(path: string): AsyncGenerator<ManifestRow> {
  const rows = /\.parquet$/i.test(path) ? parquetRows(path) : jsonRows(path);
  let number = 0;
  for await (const value of rows) {
    number++;
    const { success, data, error } = row.safeParse(value);
    if (!success) {
      const why = z.prettifyError(error).split('\n').slice(0, 2).join(' ');
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

async function* jsonRows(path: string): AsyncGenerator<unknown> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() !== '') yield parsed(line, path, number);
    }
  } catch (cause) {
    throw cause instanceof CraneError ? cause : codedReadError(path, cause);
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
  const { hyparquet, compressors } = await loadOptional(
    'a manifest in Parquet',
    ['hyparquet', 'hyparquet-compressors'],
    async () => ({
      hyparquet: await import('hyparquet'),
      compressors: (await import('hyparquet-compressors')).compressors,
    }),
  );
  const file = await open(path).catch((cause: unknown) => {
    throw codedReadError(path, cause);
  });
  try {
    const { size } = await file.stat();
    const slice = async (start: number, end = size) => {
      const buffer = new ArrayBuffer(end - start);
      await file.read(new Uint8Array(buffer), 0, end - start, start);
      return buffer;
    };
    const source = { byteLength: size, slice };
    const metadata = await hyparquet.parquetMetadataAsync(source);
    const columns = Object.keys(row.shape).filter((name) =>
      metadata.schema.some((each) => each.name === name),
    );
    const rows = Number(metadata.num_rows);
    for (let rowStart = 0; rowStart < rows; rowStart += k_rowsAtOnce) {
      const rowEnd = Math.min(rows, rowStart + k_rowsAtOnce);
      yield* await hyparquet.parquetReadObjects({
        file: source,
        metadata,
        columns,
        compressors,
        rowStart,
        rowEnd,
      });
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
