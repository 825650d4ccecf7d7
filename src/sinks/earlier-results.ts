/** The results that a run goes on with: whose they are, and how they were made. */
import { open, truncate } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { jsonOf, type LinePlace, linesOf } from '../files/line-file.js';
import { streamWhole } from '../files/stream-whole.js';
import type { ResultLine } from './result-line.js';
import { writeBytes } from './result-writer.js';
import { kindOfRow, type RowKind } from './row-kind.js';

/** What is kept of a row: one object for all that are alike. */
export interface EarlierRow {
  kind: RowKind;
}

/** An input that failed is tried again: what it failed by may be mended since. */
interface FailedRow {
  index: number;
  line: number;
}

export class EarlierResults {
  readonly #rows = new Map<string, EarlierRow[]>();
  readonly #alike = new Map<string, EarlierRow>();
  readonly #failed = new Map<string, FailedRow[]>();
  /** by the index that its input has in this run */
  readonly #tried = new Map<number, FailedRow>();
  /** line of a failure -> line of what came of its input later */
  readonly replaced = new Map<number, number>();
  /** of the file, this run's own too */
  lines = 0;
  /** the lowest one of its regions */
  lowestPeak = Number.POSITIVE_INFINITY;
  scored = 0;
  failed = 0;
  anomalous = 0;

  /** A row of an earlier run. */
  add(row: ResultLine): void {
    const line = ++this.lines;
    const { input, index } = row;
    this.#replace(
      this.#takeFailed(input, (failed) => failed.index === index),
      line,
    );
    if ('error' in row) {
      this.failed++;
      addTo(this.#failed, input, { index, line });
      return;
    }
    this.scored++;
    if (row.anomalous) this.anomalous++;
    for (const { peak } of row.regions ?? []) this.lowestPeak = Math.min(this.lowestPeak, peak);
    const kind = kindOfRow(row);
    const text = JSON.stringify(kind);
    const kept: EarlierRow = this.#alike.get(text) ?? { kind };
    this.#alike.set(text, kept);
    addTo(this.#rows, input, kept);
  }

  /** A row of this run was appended. */
  append({ index }: ResultLine): void {
    this.#replace(this.#tried.get(index), ++this.lines);
  }

  /** The result of this input that the file holds, if any; each answers for one input of its name. */
  take(name: string, index: number): EarlierRow | undefined {
    const same = this.#takeFailed(name, (failed) => failed.index === index);
    const kept = same ? undefined : this.#rows.get(name)?.shift();
    if (kept) return kept;
    // Inputs that came or went move the others.
    const failed = same ?? this.#takeFailed(name, () => true);
    if (failed) this.#tried.set(index, failed);
    return undefined;
  }

  /** Those that its rows have. */
  get kinds(): RowKind[] {
    return [...this.#alike.values()].map(({ kind }) => kind);
  }

  #takeFailed(name: string, isMeant: (failed: FailedRow) => boolean): FailedRow | undefined {
    const all = this.#failed.get(name) ?? [];
    const at = all.findIndex(isMeant);
    return at < 0 ? undefined : all.splice(at, 1)[0];
  }

  #replace(failed: FailedRow | undefined, line: number): void {
    if (failed === undefined) return;
    this.replaced.set(failed.line, line);
    this.failed--;
  }
}

function addTo<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}

/**
 * Rows of inputs that were tried again stand in the places of their failures, as if those had never been.
 * @throws CraneError E_IO_READ, E_IO_WRITE; the file is whole before and after
 */
export async function putInPlace(path: string, replaced: ReadonlyMap<number, number>): Promise<void> {
  const moved = new Set(replaced.values());
  const places = new Map<number, LinePlace>();
  for await (const { number, at, bytes } of linesOf(path))
    if (moved.has(number)) places.set(number, { at, bytes });
  const file = await open(path);
  const lineAt = async ({ at, bytes }: LinePlace) =>
    (await file.read(Buffer.alloc(bytes - 1), 0, bytes - 1, at)).buffer;
  try {
    await streamWhole(path, { overwrite: true }, async (stream) => {
      for await (const { text, number } of linesOf(path)) {
        if (moved.has(number)) continue;
        let last = number;
        for (let next = replaced.get(last); next !== undefined; next = replaced.get(last)) last = next;
        const line = last === number ? text : await lineAt(places.get(last)!);
        await writeBytes(stream, Buffer.concat([line, Buffer.from('\n')]));
      }
    });
  } finally {
    await file.close();
  }
}

/** A last line that was not finished is cut off. @throws CraneError E_IO_READ for a line that is no result, the file system's errors */
export async function readEarlier(path: string): Promise<EarlierResults> {
  const earlier = new EarlierResults();
  let goodBytes = 0;
  for await (const { text, number, at, bytes, isWhole } of linesOf(path)) {
    if (!isWhole) break;
    const row = parseLine(text);
    if (!row) throw notAResult(path, number);
    earlier.add(row);
    goodBytes = at + bytes;
  }
  await truncate(path, goodBytes);
  return earlier;
}

/** Looks at what decides whether a run may go on; the whole of a row is proved where it is used. */
function parseLine(line: Buffer): ResultLine | undefined {
  try {
    const parsed = jsonOf(line) as ResultLine | null;
    if (typeof parsed?.input !== 'string') return undefined;
    if ('error' in parsed) return parsed;
    const { model, threshold, map, heatmap, regions } = parsed as Partial<Record<string, unknown>>;
    const areRegions = (regions ?? null) === null || (Array.isArray(regions) && regions.every(hasPeak));
    const isJudged = threshold === null || typeof threshold === 'number';
    const areNames = [map, heatmap].every((file) => file === undefined || typeof file === 'string');
    return typeof model === 'string' && isJudged && areNames && areRegions ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function hasPeak(region: { peak?: unknown } | null): boolean {
  return typeof region?.peak === 'number';
}

function notAResult(path: string, line: number): CraneError {
  return new CraneError('E_IO_READ', `${path}: line ${line} is no result`, {
    hint: 'remove the line, or start anew with --force',
  });
}
