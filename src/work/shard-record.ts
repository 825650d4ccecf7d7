/**
 * What a finished shard says of itself, beside its results: results.1-of-3.shard.json. It is written last, so results without it are
 * not finished; `merge` believes nothing else.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { firstFault } from '../files/first-fault.js';
import { codedReadError } from '../files/open-file.js';
import { writeWhole } from '../files/write-whole.js';
import type { Machine } from '../runs/machine.js';
import { fileFlags } from '../scoring/file-flags.js';
import type { ListedInputs, Shard } from '../scoring/shards.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

const shardRecord = z.strictObject({
  format: z.literal('crane-native shard'),
  version: z.literal(1),
  shard: z.strictObject({ index: z.int().positive(), count: z.int().positive() }),
  /** a file beside the record */
  results: z.strictObject({
    file: z.string().regex(/^[^/\\\0]+$/),
    bytes: count,
    sha256,
    rows: count,
  }),
  /** what all shards listed */
  inputs: z.strictObject({ count, sha256 }),
  /** label of the model with all that decides a score */
  model: z.string(),
  /** of a manifest: labels of results whose pictures had choices of their own, by those */
  own: z.record(z.string(), z.string()).optional(),
  /** what else the rows hold and by what they were judged */
  rows: z.strictObject({
    threshold: z.number().nullable(),
    mapThreshold: z.number().nullable(),
    regions: z.boolean(),
    maps: z.string().nullable(),
    heatmaps: z.string().nullable(),
    /** absent: an earlier version wrote the record */
    mapSize: fileFlags.shape.mapSize.optional(),
    heatmapRange: fileFlags.shape.heatmapRange.optional(),
  }),
  /** what decides last bits */
  machine: z.strictObject({
    cpu: z.string(),
    isa: z.string(),
    precision: z.string(),
    kernels: z.string(),
    device: z.string(),
    threads: z.int().positive(),
    libtorch: z.string(),
  }),
  craneNative: z.string(),
});

export type ShardRecord = z.infer<typeof shardRecord>;

export interface FinishedShard {
  /** path of the results */
  results: string;
  shard: Shard;
  inputs: ListedInputs;
  model: string;
  own?: Record<string, string>;
  rows: ShardRecord['rows'];
  machine: Machine;
  craneNative: string;
}

/** @returns path of the record. @throws CraneError E_IO_READ, E_IO_WRITE */
export async function writeShardRecord({ results, ...rest }: FinishedShard): Promise<string> {
  const path = recordOf(results);
  const record: ShardRecord = {
    format: 'crane-native shard',
    version: 1,
    ...rest,
    results: { file: basename(results), ...(await measure(results)) },
  };
  await writeWhole(path, `${JSON.stringify(record, null, 1)}\n`, { overwrite: true });
  return path;
}

/** results.1-of-3.jsonl -> results.1-of-3.shard.json */
export function recordOf(results: string): string {
  return results.replace(/\.jsonl$/, '.shard.json');
}

/** @throws CraneError E_SHARDS for what is none, E_IO_READ */
export async function readShardRecord(path: string): Promise<ShardRecord> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw codedReadError(path, cause);
  });
  try {
    return shardRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new CraneError('E_SHARDS', `${path}: not the record of a shard: ${firstFault(cause)}`, { cause });
  }
}

/** Size, hash and lines of a file, in one pass. @throws CraneError E_INPUT_*, E_IO_READ */
export async function measure(path: string): Promise<{ bytes: number; sha256: string; rows: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let rows = 0;
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 20 }),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk);
          bytes += chunk.length;
          for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++;
        }
      },
    );
  } catch (cause) {
    throw codedReadError(path, cause);
  }
  return { bytes, sha256: hash.digest('hex'), rows };
}
