/** Where `--out` leads: a folder here, or a store that gets the results once they are whole. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CraneError } from '../errors.js';
import { cacheFolder } from '../files/cache-folder.js';
import { removeLeft } from '../files/left-files.js';
import { streamWhole } from '../files/stream-whole.js';
import { exists, isThere, writeWhole } from '../files/write-whole.js';
import { isRemote, openStore } from '../stores/open-store.js';
import type { Store } from '../stores/store.js';
import { keptFiles } from './kept-files.js';
import { resultRows } from './result-rows.js';
import { writeWholly } from './result-writer.js';
import { ResultsFile, type ResultsFileOptions, resultsName } from './results-file.js';
import { writers } from './writers.js';

export interface OutPlace {
  readonly results: ResultsFile;
  /** Inputs of the results that stay, by the name of their files without ending. */
  kept(): Promise<Map<string, string>>;
  /** A map or heat map, whole. @throws CraneError E_EXISTS, E_IO_WRITE */
  put(name: string, data: Uint8Array | readonly Uint8Array[]): Promise<void>;
  /** The complete results go where the user wants them, and after them `more`, such as a shard's record. @returns what was made of them beside. @throws CraneError E_IO_WRITE */
  publish(more: readonly string[]): Promise<string[]>;
}

export interface OutOptions extends ResultsFileOptions {
  /** of the results, beside them */
  table: 'csv' | 'parquet' | 'coco' | undefined;
  /** looks at the results that are gone on with; where it throws, all stays as it was */
  accept?: (results: ResultsFile) => Promise<void>;
}

/** @throws CraneError as ResultsFile.open, and of the store */
export async function openOut(address: string, options: OutOptions): Promise<OutPlace> {
  return isRemote(address) ? StoreOut.open(address, options) : openFolder(address, options);
}

async function openFolder(folder: string, options: OutOptions): Promise<OutPlace> {
  const overwrite = options.overwrite || options.resume;
  const beside = options.table && tablePath(join(folder, resultsName(options.shard)), options.table);
  // Before hours of work whose table could not be written.
  if (beside !== undefined && !overwrite && (await isThere(beside))) throw existsThere(beside);
  const results = await openResults(folder, options);
  // Results that are gone on with are whole no more, and neither is their table.
  if (beside !== undefined && options.resume) await rm(beside, { force: true });
  const swept = new Set([folder]);
  return {
    results,
    kept: () => keptFiles(folder, options.resume ? undefined : results.path),
    put: async (name, data) => {
      const path = join(folder, name);
      // A killed run left its picture undone: who does it again comes by the same folder.
      if (overwrite && !swept.has(dirname(path))) {
        swept.add(dirname(path));
        await removeLeft(dirname(path));
      }
      await writeWhole(path, data, { overwrite });
    },
    publish: () => makeTable(results.path, options.table),
  };
}

async function openResults(folder: string, options: OutOptions): Promise<ResultsFile> {
  const results = await ResultsFile.open(folder, options);
  try {
    await options.accept?.(results);
    return results;
  } catch (thrown) {
    await results.interrupt();
    throw thrown;
  }
}

/** Results grow in a folder of the cache: an object cannot be added to, and half a table is none. */
class StoreOut implements OutPlace {
  private constructor(
    readonly results: ResultsFile,
    readonly folder: string,
    readonly store: Store,
    readonly options: OutOptions,
  ) {}

  static async open(address: string, options: OutOptions): Promise<StoreOut> {
    const store = await openStore(address);
    const folder = join(
      await unfinishedFolder(),
      createHash('sha256').update(address).digest('hex').slice(0, 16),
    );
    const name = resultsName(options.shard);
    const isKept = (await isThere(join(folder, name))) || (await isThere(join(folder, `${name}.partial`)));
    if (!options.overwrite && !(options.resume && isKept) && (await store.has(name))) {
      if (!options.resume) throw existsThere(`${address}/${name}`);
      await store.download(name, join(folder, name));
    }
    return new StoreOut(await openResults(folder, options), folder, store, options);
  }

  kept(): Promise<Map<string, string>> {
    return keptFiles(this.folder, this.options.resume ? undefined : this.results.path);
  }

  async put(name: string, data: Uint8Array | readonly Uint8Array[]): Promise<void> {
    const bytes = Array.isArray(data) ? Buffer.concat(data as Uint8Array[]) : (data as Uint8Array);
    if (this.options.overwrite || this.options.resume) return this.store.write(name, bytes);
    if (await this.store.create(name, bytes)) return;
    // Its answer may have been lost: equal bytes are as good as our own.
    if (!Buffer.from(bytes).equals(await this.store.read(name)))
      throw existsThere(`${this.store.address}/${name}`);
  }

  async publish(more: readonly string[]): Promise<string[]> {
    const { path } = this.results;
    const made = [path];
    let tables: string[] = [];
    try {
      tables = await makeTable(path, this.options.table);
      made.push(...tables, ...more);
      for (const each of made) await this.store.upload(basename(each), each);
    } catch (thrown) {
      const { code = 'E_IO_WRITE', message, cause } = thrown as CraneError;
      throw new CraneError(code, message, {
        hint: `the results are whole in ${path}: the same command with --resume sends them`,
        cause,
      });
    }
    for (const each of made) await rm(each, { force: true });
    return tables.map((table) => `${this.store.address}/${basename(table)}`);
  }
}

type Table = OutOptions['table'];

/** results.jsonl -> results.parquet; COCO's file is JSON: results.coco.json */
function tablePath(results: string, table: NonNullable<Table>): string {
  return results.replace(/\.jsonl$/, table === 'coco' ? '.coco.json' : `.${table}`);
}

/** From the complete results. @returns its path, if one was asked for. @throws CraneError E_IO_WRITE */
async function makeTable(results: string, table: Table): Promise<string[]> {
  if (table === undefined) return [];
  const path = tablePath(results, table);
  await streamWhole(path, { overwrite: true }, async (stream) => {
    const writer = await writers[table](stream, { columns: 80, colour: false });
    await writeWholly(writer, async () => {
      for await (const { row } of resultRows(results)) await writer.write(row);
    });
  });
  return [path];
}

/** Never below CRANE_CACHE, which an image may hold read-only. */
async function unfinishedFolder(): Promise<string> {
  return join(await cacheFolder({}), 'unfinished');
}

function existsThere(address: string): CraneError {
  const { code, message } = exists(address);
  return new CraneError(code, message, {
    hint: 'go on with --resume, start anew with --force, or choose another --out',
  });
}
