/** The shards that `merge` is given: records in folders or by path, and what lies there unfinished. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CraneError } from '../errors.js';
import { kindOf } from '../files/kind-of.js';
import { codedReadError } from '../files/open-file.js';
import { readShardRecord, recordOf, type ShardRecord } from './shard-record.js';

export interface FoundShard {
  /** path of the record */
  path: string;
  /** path of its results */
  results: string;
  record: ShardRecord;
}

export interface FoundShards {
  shards: FoundShard[];
  /** results without a record: the run goes on or was interrupted */
  unfinished: string[];
}

const k_record = /^results\.\d+-of-\d+\.shard\.json$/;
const k_results = /^results\.\d+-of-\d+\.jsonl(?:\.partial)?$/;

/** Whether a file is a shard's record or its results. */
export function isOfShard(name: string): boolean {
  return k_record.test(name) || k_results.test(name);
}

/** @throws CraneError E_SHARDS, E_INPUT_NOT_FOUND, E_IO_READ */
export async function findShards(given: readonly string[]): Promise<FoundShards> {
  const records = new Set<string>();
  const unfinished: string[] = [];
  for (const place of given) {
    const kind = await kindOf(place);
    if (kind === undefined) throw new CraneError('E_INPUT_NOT_FOUND', `${place}: no such file or folder`);
    if (kind === 'file') {
      records.add(place.endsWith('.jsonl') ? recordOf(place) : place);
      continue;
    }
    const names = await readdir(place).catch((cause: unknown) => {
      throw codedReadError(place, cause);
    });
    const inFolder = names.filter((name) => k_record.test(name)).sort();
    for (const name of inFolder) records.add(join(place, name));
    for (const name of names.filter((each) => k_results.test(each)).sort()) {
      const isFinished = inFolder.includes(basename(recordOf(name)));
      if (!isFinished || name.endsWith('.partial')) unfinished.push(join(place, name));
    }
    if (inFolder.length === 0 && unfinished.length === 0) {
      throw new CraneError('E_SHARDS', `${place}: no results of a shard in this folder`, {
        hint: 'made by: score INPUTS --shard 1/3 --out FOLDER',
      });
    }
  }
  const shards: FoundShard[] = [];
  for (const path of records) {
    const record = await readShardRecord(path);
    shards.push({ path, record, results: join(dirname(path), record.results.file) });
  }
  return { shards: shards.sort((a, b) => a.record.shard.index - b.record.shard.index), unfinished };
}
