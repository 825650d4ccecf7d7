/**
 * A manifest names the pictures of a piece of work: JSON Lines, or Parquet with columns of the same names. `uri` is a path or an
 * address; `id` names the picture in results; `class`, `prompts`, `normals` are its own.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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

/** A row may hold a picture as data: of more it is told, and no more than that is held. */
const k_lineBytes = 64 * 2 ** 20;
const k_newLine = 0x0a;

async function* jsonRows(path: string): AsyncGenerator<unknown> {
  let number = 1;
  /** of the line that has no end yet */
  let parts: Buffer[] = [];
  let bytes = 0;
  const row = (line: Buffer) => {
    const text = line.toString('utf8').replace(/^\ufeff/, '');
    return text.trim() === '' ? undefined : { value: parsed(text, path, number) };
  };
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(k_newLine); at >= 0; at = chunk.indexOf(k_newLine, from)) {
        const found = row(Buffer.concat([...parts, chunk.subarray(from, at)]));
        if (found) yield found.value;
        parts = [];
        bytes = 0;
        from = at + 1;
        number++;
      }
      parts.push(chunk.subarray(from));
      bytes += chunk.length - from;
      if (bytes > k_lineBytes)
        throw new CraneError('E_DATA_META', `${path}: line ${number} is longer than 64 MiB`);
    }
    const last = row(Buffer.concat(parts));
    if (last) yield last.value;
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
