/** Proves that shards make one whole: none is missing, double, changed or of other settings, and every row stands once. */
import { CraneError } from '../errors.js';
import { shardOf } from '../scoring/shards.js';
import type { ResultLine, ScoredLine } from '../sinks/result-line.js';
import { resultRows } from '../sinks/result-rows.js';
import { isBelow, LabelThresholds } from '../sinks/row-kind.js';
import type { FoundShard, FoundShards } from './find-shards.js';
import { measure, type ShardRecord } from './shard-record.js';

export interface CheckChoices {
  /** take shards of machines whose last bits may differ */
  mixedMachines: boolean;
}

/** @throws CraneError E_SHARDS, naming the shard and what is wrong with it */
export async function checkShards(found: FoundShards, { mixedMachines }: CheckChoices): Promise<void> {
  const { shards } = found;
  checkComplete(found);
  const [first] = shards;
  for (const shard of shards.slice(1)) checkAlike(first!, shard, mixedMachines);
  checkOwn(shards);
  const seen = new RowsSeen(first!.record.inputs.count);
  const thresholds = new LabelThresholds();
  thresholds.add({ model: first!.record.model, threshold: first!.record.rows.threshold });
  for (const shard of shards) await checkRows(shard, seen, thresholds);
  if (seen.missing > 0) {
    const absent = firstAbsent(0, seen.count, (index) => seen.has(index));
    throw fault(
      `${seen.missing} of ${seen.count} inputs have no result, those at ${shown(absent)}`,
      'run the shards again, with --resume: they hold fewer rows than their inputs',
    );
  }
}

function checkComplete({ shards, unfinished }: FoundShards): void {
  const count = shards[0]?.record.shard.count;
  if (count === undefined) {
    throw fault(`no shard is finished; unfinished: ${unfinished.join(', ')}`, 'run each again with --resume');
  }
  const byIndex = new Map<number, FoundShard>();
  for (const shard of shards) {
    const { index, count: own } = shard.record.shard;
    if (own !== count)
      throw fault(`${shard.path}: is shard ${index} of ${own}, ${shards[0]!.path} is one of ${count}`);
    if (index > count) throw fault(`${shard.path}: says that it is shard ${index} of ${count}`);
    const other = byIndex.get(index);
    if (other) throw fault(`shard ${index} of ${count} is there twice: ${other.path} and ${shard.path}`);
    byIndex.set(index, shard);
  }
  if (byIndex.size === count) return;
  const missing = firstAbsent(1, count + 1, (index) => byIndex.has(index));
  const lying = unfinished.length > 0 ? `; unfinished: ${unfinished.join(', ')}` : '';
  throw fault(
    `${missing.length === 1 ? 'shard' : 'shards'} ${shown(missing)} of ${count} missing${lying}`,
    `score the same inputs with --shard ${missing[0]}/${count} --out FOLDER${lying ? ' --resume' : ''}`,
  );
}

function checkAlike(first: FoundShard, other: FoundShard, mixedMachines: boolean): void {
  const differ = (what: string, a: unknown, b: unknown, hint: string) => {
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    throw fault(`${other.path}: ${what} ${text(b)}, in ${first.path} ${text(a)}`, hint);
  };
  const [a, b] = [first.record, other.record];
  differ('model', a.model, b.model, 'scores of different models and settings are not one result');
  differ('crane-native', a.craneNative, b.craneNative, 'score all shards with one version');
  for (const key of ['count', 'sha256'] as const) {
    differ(`listed inputs: ${key}`, a.inputs[key], b.inputs[key], 'the shards were given other inputs');
  }
  // Records of an earlier version do not name all.
  for (const key of Object.keys(a.rows) as (keyof ShardRecord['rows'])[])
    if (b.rows[key] !== undefined)
      differ(`setting ${key}`, a.rows[key], b.rows[key], 'score all shards with the same flags');
  if (mixedMachines) return;
  for (const key of ['precision', 'kernels', 'threads', 'libtorch', 'device'] as const) {
    const [one, two] = [a.machine[key], b.machine[key]].map((value) => deviceKind(key, value));
    differ(
      key,
      one,
      two,
      'last digits may differ: pin them with --precision, --threads and CRANE_KERNELS, or merge with --mixed-machines',
    );
  }
}

/** Equal choices of a manifest's rows are labelled alike in every shard, or prompts and banks of one name differ. */
function checkOwn(shards: readonly FoundShard[]): void {
  const labels = new Map<string, { label: string; path: string }>();
  for (const { path, record } of shards)
    for (const [choices, label] of Object.entries(record.own ?? {})) {
      const other = labels.get(choices);
      if (other && other.label !== label)
        throw fault(`${path}: pictures with ${choices} are of ${label}, in ${other.path} of ${other.label}`);
      labels.set(choices, { label, path });
    }
}

/** cuda:0 and cuda:1 of equal cards are alike. */
function deviceKind(key: string, value: string | number): string | number {
  return key === 'device' ? String(value).replace(/:\d+/g, '') : value;
}

async function checkRows(
  { path, results, record }: FoundShard,
  seen: RowsSeen,
  thresholds: LabelThresholds,
): Promise<void> {
  const { bytes, sha256, rows } = await measure(results);
  if (bytes !== record.results.bytes)
    throw fault(`${results}: ${bytes} bytes, expected ${record.results.bytes} as ${path} says`);
  if (sha256 !== record.results.sha256) throw fault(`${results}: was changed after its run: another sha256`);
  if (rows !== record.results.rows)
    throw fault(`${results}: ${rows} rows, expected ${record.results.rows} as ${path} says`);
  const labels = new Set([record.model, ...Object.values(record.own ?? {})]);
  let last = -1;
  for await (const { row, line } of resultRows(results)) {
    const at = `${results}: line ${line}`;
    checkRow(at, row, record, labels);
    const mixed = thresholds.check(row);
    if (mixed !== undefined) throw fault(`${at}: ${mixed}`, k_mixed);
    if (!seen.take(row.index)) throw fault(`${at}: a second result at ${row.index} (${row.input})`);
    if (row.index < last) {
      throw fault(
        `${at}: result at ${row.index} after that at ${last}`,
        'the shard was resumed with other inputs',
      );
    }
    last = row.index;
  }
}

function checkRow(at: string, row: ResultLine, record: ShardRecord, labels: ReadonlySet<string>): void {
  const { shard, inputs, model } = record;
  if (row.index >= inputs.count) throw fault(`${at}: result at ${row.index} of ${inputs.count} inputs`);
  if (shardOf(row.input, shard.count) !== shard.index)
    throw fault(`${at}: ${row.input} is none of shard ${shard.index} of ${shard.count}`);
  if ('error' in row) return;
  if (!labels.has(row.model)) throw fault(`${at}: model ${row.model}, expected ${model}`);
  checkFiles(at, row, record);
}

/** That a row holds what its record says. */
function checkFiles(at: string, row: ScoredLine, { model, rows }: ShardRecord): void {
  const { regions, maps, heatmaps } = rows;
  // Choices of a manifest's row may have a map threshold of their own.
  const mapThreshold = row.model === model && row.regions !== undefined ? rows.mapThreshold : undefined;
  const low = row.regions?.find(({ peak }) => isBelow(peak, mapThreshold ?? Number.NEGATIVE_INFINITY));
  const faults = [
    // Outlines bring regions that records of 0.1.0 do not name.
    regions && row.regions === undefined && 'no regions, its record says that they were asked for',
    mapThreshold === null &&
      row.regions !== null &&
      'regions, its record says that there was no map threshold',
    typeof mapThreshold === 'number' && row.regions === null && 'no map threshold, its record has one',
    low !== undefined &&
      `a region of peak ${low.peak}, below the map threshold ${mapThreshold} of its record`,
    maps !== null && row.map === undefined && `no map, its record says ${maps}`,
    maps === null && row.map !== undefined && 'a map, its record says that none was asked for',
    heatmaps !== null && row.heatmap === undefined && `no heat map, its record says ${heatmaps}`,
    heatmaps === null && row.heatmap !== undefined && 'a heat map, its record says that none was asked for',
  ];
  const wrong = faults.find((each) => each !== false);
  if (wrong) throw fault(`${at}: ${row.input} has ${wrong}`, k_mixed);
}

/** Inputs of a page of RowsSeen. */
const k_page = 2 ** 19;

/**
 * One bit an input, by pages of 64 KiB where there are rows: ten million cost a megabyte, and what a record says of its inputs costs
 * nothing.
 */
class RowsSeen {
  readonly #pages = new Map<number, Uint8Array>();
  #taken = 0;

  constructor(readonly count: number) {}

  /** False: it was there before. */
  take(index: number): boolean {
    if (this.has(index)) return false;
    const page = this.#pages.get(Math.floor(index / k_page)) ?? new Uint8Array(k_page / 8);
    this.#pages.set(Math.floor(index / k_page), page);
    const at = index % k_page;
    page[at >> 3]! |= 1 << (at & 7);
    this.#taken++;
    return true;
  }

  has(index: number): boolean {
    const at = index % k_page;
    const byte = this.#pages.get(Math.floor(index / k_page))?.[at >> 3] ?? 0;
    return (byte & (1 << (at & 7))) !== 0;
  }

  get missing(): number {
    return this.count - this.#taken;
  }
}

const k_shown = 5;
const k_mixed = 'the shard was gone on with under other settings: score it again with --force';

/** The first few from `from` to before `to` that are not there, and one more where there are more. */
function firstAbsent(from: number, to: number, isThere: (index: number) => boolean): number[] {
  const absent: number[] = [];
  for (let index = from; index < to && absent.length <= k_shown; index++)
    if (!isThere(index)) absent.push(index);
  return absent;
}

function shown(numbers: readonly number[]): string {
  const some = numbers.slice(0, k_shown).join(', ');
  return numbers.length > k_shown ? `${some}, ...` : some;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fault(message: string, hint?: string): CraneError {
  return new CraneError('E_SHARDS', message, { hint });
}
