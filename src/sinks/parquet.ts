/** Parquet with zstd, for what reads many results next: DuckDB, pandas, Spark (docs/scaling.md "Parquet"). */
import type { Writable } from 'node:stream';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import { packageVersion } from '../files/package-root.js';
import { columns, k_tableVersion, schema } from './parquet-columns.js';
import type { ResultLine } from './result-line.js';
import { type ResultWriter, writeBytes } from './result-writer.js';

/** Rows of a row group: readers hold a group of a column at once, and the writer all its rows. */
const k_groupRows = 20_000;
/** ... or fewer, where a row holds much (many regions): text of the rows, about. */
const k_groupCharacters = 32 * 2 ** 20;
const k_zstdLevel = 3;

/** @throws CraneError E_DEPENDENCY, and E_USAGE where the bytes would go to a terminal */
export async function parquet(stream: Writable & { isTTY?: boolean }): Promise<ResultWriter> {
  if (stream.isTTY) {
    throw new CraneError('E_USAGE', 'Parquet is binary, and standard output is a terminal', {
      hint: '--format parquet > results.parquet',
    });
  }
  const { ByteWriter, ParquetWriter, zstd } = await loadOptional(
    'a table in Parquet',
    ['hyparquet-writer', '@bokuweb/zstd-wasm'],
    load,
  );
  const bytes = new ByteWriter(2 ** 20);
  const file = new ParquetWriter({
    writer: bytes,
    schema: [...schema],
    codec: 'ZSTD',
    compressors: { ZSTD: (input) => zstd.compress(input, k_zstdLevel) },
    kvMetadata: [{ key: 'crane-native.table', value: String(k_tableVersion) }],
    createdBy: `crane-native version ${packageVersion()}`,
  });
  /** The file's positions go on, the buffer begins anew. */
  const flush = async () => {
    const made = bytes.getBytes().slice();
    bytes.index = 0;
    await writeBytes(stream, made);
  };
  let waiting: ResultLine[] = [];
  let characters = 0;
  const writeGroup = async () => {
    const rows = waiting;
    waiting = [];
    characters = 0;
    file.write({
      columnData: columns.map(({ name, of }) => ({ name, data: rows.map(of) })),
      rowGroupSize: rows.length,
    });
    await flush();
  };
  return {
    write: async (line) => {
      waiting.push(line);
      characters += lengthOf(line);
      if (waiting.length >= k_groupRows || characters >= k_groupCharacters) await writeGroup();
    },
    end: async () => {
      if (waiting.length > 0) await writeGroup();
      file.finish();
      await flush();
    },
  };
}

async function load() {
  const [{ ByteWriter, ParquetWriter }, zstd] = await Promise.all([
    import('hyparquet-writer'),
    import('@bokuweb/zstd-wasm'),
  ]);
  await zstd.init();
  return { ByteWriter, ParquetWriter, zstd };
}

/** Of what has no bound: names and lists. */
function lengthOf(line: ResultLine): number {
  const lists = 'regions' in line ? (line.regions?.length ?? 0) : 0;
  return line.input.length + 100 * lists + 100;
}
