/** The parts of a submission into one table: every chunk has one part that counts, and it is as its record says. */
import { createHash } from 'node:crypto';
import { CraneError } from '../errors.js';
import type { ResultLine } from '../sinks/result-line.js';
import { parsedRow } from '../sinks/result-rows.js';
import { type ResultWriter, writeWholly } from '../sinks/result-writer.js';
import { LabelThresholds } from '../sinks/row-kind.js';
import type { Store } from '../stores/store.js';
import type { Merged } from './merge-shards.js';
import { RowLabels } from './row-labels.js';
import {
  type DoneRecord,
  doneRecord,
  linesIn,
  parseChunk,
  parsedAs,
  places,
  type Submission,
} from './submission.js';
import { readSubmission } from './submit.js';

const k_again = 'its workers had other calibrations: submit once more with --again and --threshold';

const k_otherLabel = 'workers of another model or precision made it: submit once more with --again';

/** Ids of the submissions in a store. */
export async function submissionsIn(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of store.list('submissions/')) {
    const id = /^submissions\/([0-9a-f]{32})\.json$/.exec(key)?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

/**
 * Holds one part. Records are checked before anything is written, each part before its own rows are.
 * @throws CraneError E_SHARDS, E_INPUT_NOT_FOUND
 */
export async function mergeSubmission(
  store: Store,
  id: string,
  open: () => Promise<ResultWriter>,
): Promise<Merged> {
  const submission = await readSubmission(store, id);
  const records = await recordsOf(store, submission);
  const writer = await open();
  const merged: Merged = { shards: records.length, rows: 0, failed: 0, model: records[0]!.pins.model };
  const names = createHash('sha256');
  const thresholds = new LabelThresholds();
  const labels = new RowLabels();
  return writeWholly(writer, async () => {
    for (const [at, record] of records.entries()) {
      const chunk = await rowsOf(store, record, names);
      await checkLabels(store, submission.chunks[at]!.key, record, chunk, labels);
      for (const row of chunk) {
        const mixed = thresholds.check(row);
        if (mixed !== undefined)
          throw fault(`${store.address}/${places.part(record.file)}: ${mixed}`, k_again);
        await writer.write({ ...row, index: merged.rows++ });
        if ('error' in row) merged.failed++;
      }
    }
    if (names.digest('hex') !== submission.inputs.sha256)
      throw fault(`${store.address}: the results are of other pictures than submission ${id} lists`);
    return merged;
  });
}

async function recordsOf(store: Store, { chunks, inputs }: Submission): Promise<DoneRecord[]> {
  const records: DoneRecord[] = [];
  const missing: string[] = [];
  for (const { key, count } of chunks) {
    if (!(await store.has(places.done(key)))) {
      missing.push(key);
      continue;
    }
    const where = `${store.address}/${places.done(key)}`;
    const record = parsedAs(doneRecord, await store.read(places.done(key)), where);
    if (record.rows !== count) throw fault(`${where}: ${record.rows} rows, expected ${count}`);
    const first = records[0];
    if (first && JSON.stringify(record.pins) !== JSON.stringify(first.pins))
      throw fault(`${where}: made by another model or machine than the first chunk`);
    records.push(record);
  }
  if (missing.length > 0) {
    throw fault(
      `${missing.length} of ${chunks.length} chunks have no results yet, first ${missing[0]}`,
      'see queue status; dead letters go on with queue retry',
    );
  }
  const rows = records.reduce((sum, record) => sum + record.rows, 0);
  if (rows !== inputs.count) throw fault(`${rows} results, expected ${inputs.count}`);
  return records;
}

async function rowsOf(
  store: Store,
  record: DoneRecord,
  names: ReturnType<typeof createHash>,
): Promise<ResultLine[]> {
  const where = `${store.address}/${places.part(record.file)}`;
  const bytes = await store.read(places.part(record.file));
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length !== record.bytes || digest !== record.sha256)
    throw fault(`${where}: was changed or cut off: ${bytes.length} bytes, expected ${record.bytes}`);
  const rows = [...linesIn(bytes)].map(([at, line]) => parsedRow(line, `${where}: line ${at}`));
  if (rows.length !== record.rows) throw fault(`${where}: ${rows.length} rows, expected ${record.rows}`);
  rows.forEach((row, at) => {
    if (row.index !== at) throw fault(`${where}: result at ${row.index} where ${at} is expected`);
    names.update(row.input).update('\0');
  });
  return rows;
}

/** Pictures are looked at only where a row is of another label than its worker. */
async function checkLabels(
  store: Store,
  key: string,
  { file, pins }: DoneRecord,
  rows: readonly ResultLine[],
  labels: RowLabels,
): Promise<void> {
  if (rows.every((row) => 'error' in row || row.model === pins.model)) return;
  const place = `${store.address}/${places.chunk(key)}`;
  const pictures = parseChunk(await store.read(places.chunk(key)), place);
  if (pictures.length !== rows.length)
    throw fault(`${place}: ${pictures.length} pictures, and ${rows.length} results`);
  for (const [at, row] of rows.entries()) {
    const wrong = labels.check(row, pictures[at]!, pins);
    if (wrong !== undefined) throw fault(`${store.address}/${places.part(file)}: ${wrong}`, k_otherLabel);
  }
}

function fault(message: string, hint?: string): CraneError {
  return new CraneError('E_SHARDS', message, { hint });
}
