/** Shards into one table, in the order of the inputs; only after all of them were proved to belong together. */
import type { ResultLine } from '../sinks/result-line.js';
import type { ResultWriter } from '../sinks/result-writer.js';
import { type CheckChoices, checkShards } from './check-shards.js';
import { findShards } from './find-shards.js';
import { resultRows } from './result-rows.js';

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
  for await (const row of inOrder(found.shards.map(({ results }) => resultRows(results)))) {
    await writer.write(row);
    merged.rows++;
    if ('error' in row) merged.failed++;
  }
  await writer.end();
  return merged;
}

/** Each source ascends; the heads wait in a heap, so a thousand shards cost ten steps a row. */
async function* inOrder(sources: AsyncGenerator<{ row: ResultLine }>[]): AsyncGenerator<ResultLine> {
  const heap: { row: ResultLine; source: AsyncGenerator<{ row: ResultLine }> }[] = [];
  const isBefore = (a: number, b: number) => heap[a]!.row.index < heap[b]!.row.index;
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  };
  const sink = (at: number) => {
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && isBefore(left, least)) least = left;
      if (right < heap.length && isBefore(right, least)) least = right;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  };
  for (const source of sources) {
    const next = await source.next();
    if (!next.done) heap.push({ row: next.value.row, source });
  }
  for (let at = heap.length >> 1; at >= 0; at--) sink(at);
  while (heap.length > 0) {
    const { row, source } = heap[0]!;
    yield row;
    const next = await source.next();
    if (next.done) {
      const last = heap.pop()!;
      if (heap.length > 0) heap[0] = last;
    } else heap[0] = { row: next.value.row, source };
    sink(0);
  }
}
