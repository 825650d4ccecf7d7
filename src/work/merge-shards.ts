/** Shards into one table, in the order of the inputs; only after all of them were proved to belong together. */
import type { ResultLine } from '../sinks/result-line.js';
import { type NumberedRow, resultRows } from '../sinks/result-rows.js';
import { type ResultWriter, writeWholly } from '../sinks/result-writer.js';
import { type CheckChoices, checkShards } from './check-shards.js';
import { findShards } from './find-shards.js';
import { Heap } from './heap.js';

export interface Merged {
  shards: number;
  rows: number;
  failed: number;
  model: string;
}

/**
 * Reads every file twice, so that nothing is written of what does not hold, and holds one row of each shard.
 * @param open made once the proof stands
 * @throws CraneError E_SHARDS, E_INPUT_NOT_FOUND, E_IO_READ
 */
export async function mergeShards(
  given: readonly string[],
  choices: CheckChoices,
  open: () => Promise<ResultWriter>,
): Promise<Merged> {
  const found = await findShards(given);
  await checkShards(found, choices);
  const writer = await open();
  const merged: Merged = {
    shards: found.shards.length,
    rows: 0,
    failed: 0,
    model: found.shards[0]!.record.model,
  };
  return writeWholly(writer, async () => {
    for await (const row of inOrder(found.shards.map(({ results }) => resultRows(results)))) {
      await writer.write(row);
      merged.rows++;
      if ('error' in row) merged.failed++;
    }
    return merged;
  });
}

/** Each source ascends; their heads wait in a heap. */
async function* inOrder(sources: AsyncGenerator<NumberedRow>[]): AsyncGenerator<ResultLine> {
  const heads = new Heap<{ row: ResultLine; source: AsyncGenerator<NumberedRow> }>(({ row }) => row.index);
  const advance = async (source: AsyncGenerator<NumberedRow>) => {
    const next = await source.next();
    if (!next.done) heads.push({ row: next.value.row, source });
  };
  for (const source of sources) await advance(source);
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    yield head.row;
    await advance(head.source);
  }
}
